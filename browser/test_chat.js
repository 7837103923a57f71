// Native text and answers without a browser, on the cases that Python runs too: `node --test test_chat.js`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { callText, declarationText, parseCalls, parseResponse, renderChat, responseText } from './chat.js';

const CASES = JSON.parse(readFileSync(new URL('../tests/golden/native_text.json', import.meta.url), 'utf-8'));

/** What `parseResponse` makes of pieces. */
function parsed(pieces, options = {}) {
  const detokenize = async (ids) => ids.map((id) => pieces[id]).join('');
  return parseResponse([...pieces.keys()], { pieces, detokenize, ...options });
}

test('calls become native text and come back', () => {
  assert(CASES.calls.length > 5);
  for (const { native, call } of CASES.calls) {
    assert.equal(callText(call.name, call.arguments), native);
    assert.deepEqual(parseCalls(native), [call]);
  }
  assert.deepEqual(parseCalls(CASES.calls.map(({ native }) => native)), CASES.calls.map(({ call }) => call));
});

test('calls are read with white space, with markers and without quotes', () => {
  for (const { native, calls } of CASES.read) assert.deepEqual(parseCalls(native), calls, native);
});

test('what is no call is refused', () => {
  for (const native of CASES.refused) assert.throws(() => parseCalls(native), /^Error: `native`: must be calls such as/, native);
});

test('tools and what they answer become native text', () => {
  assert(CASES.declarations.length > 5);
  for (const { native, tool } of CASES.declarations) assert.equal(declarationText(tool), native);
  for (const { native, name, response } of CASES.responses) assert.equal(responseText(name, response), native);
  assert.throws(() => declarationText({ type: 'function' }), /must have a `function`/);
});

test('an answer is taken apart by its tokens', async () => {
  const pieces = ['<|channel>', 'thought\nHm.\n', '<channel|>', ' It is ', '<|tool_call>', 'call:f{a:', '<|"|>', 'x', '<|"|>', '}', '<tool_call|>', '<|tool_response>', 'z'];
  const expected = { thought: 'Hm.', content: 'It is', calls: ['call:f{a:<|"|>x<|"|>}'], finishReason: 'tool_calls' };
  assert.deepEqual(await parsed(pieces), expected);
  for (let end = 0; end < pieces.length - 1; end++) assert.equal((await parsed(pieces.slice(0, end))).finishReason, 'length');
  assert.deepEqual(await parsed(['so\n', '<channel|>', 'yes', '<turn|>'], { inThought: true }), { thought: 'so', content: 'yes', calls: [], finishReason: 'stop' });
  assert.deepEqual(await parsed(['<bos>', 'a', '<eos>'], { leftOut: ['<bos>'] }), { thought: '', content: 'a', calls: [], finishReason: 'stop' });
});

test('a thought reaches to its end, and the name of its channel goes', async () => {
  const cases = [
    [['<|channel>', 'though'], ''],
    [['<|channel>', 'thought', '<|tool_call>', 'x'], 'thought<|tool_call>x'],
    [['<|channel>', 'thought\n', '<channel|>'], ''],
    [['<|channel>', 'thoughts'], 'thoughts'],
  ];
  for (const [pieces, thought] of cases) assert.deepEqual(await parsed(pieces), { thought, content: '', calls: [], finishReason: 'length' });
});

test('quotes that other pieces spell are refused in a call, and elsewhere text', async () => {
  await assert.rejects(parsed(['<|tool_call>', 'call:f{a:', '<|"', '|>', '}']), /must be the token; got 1 in the text of a call, of which 0/);
  assert.equal((await parsed(['<|"', '|>', '<|', 'turn', '|>'])).content, '<|"|><|turn|>');
});
