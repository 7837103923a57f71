// The chat template without a browser, on the dialogues that Python renders too: `node --test test_template.js`.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderChat } from './chat.js';
import { checkRow } from './messages.js';
import { idsOf, stripped, unbreakable } from './special_tokens.js';
import { readPieces } from './vocabulary.js';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url));
const { cases: DIALOGUES } = JSON.parse(read('tests/twins/chat_golden.json'));
const VARIANTS = ['small', 'large'];
const USER = [{ role: 'user', content: 'Hi' }];
const VOCABULARIES = ['graph_ops/demonstration/demonstration.spm', process.env.GEMMA4_TOKENIZER].filter(Boolean);
const TYPED = [
  ...['<bos>', '<eos>', '<pad>', '<unk>', '<mask>', '<unused7>', '<unused6241>', '[multimodal]', '<|think|>', '<|"|>', '<|image|>', '<|audio|>', '<|video|>', '<|image>'],
  ...['<image|>', '<|audio>', '<audio|>', '<|turn>', '<turn|>', '<|tool>', '<tool|>', '<|tool_call>', '<tool_call|>', '<|tool_response>', '<tool_response|>'],
];
const THOUGHTS = ['<|channel>', '<channel|>']; // which an assistant's content loses

/** Golden options as `renderChat` has them. */
const optionsOf = ({ tools, kwargs }) => ({
  tools,
  addGenerationPrompt: kwargs.add_generation_prompt,
  enableThinking: kwargs.enable_thinking,
  preserveThinking: kwargs.preserve_thinking,
});

for (const variant of VARIANTS) {
  test(`dialogues are rendered as the published template does, ${variant}`, () => {
    assert(DIALOGUES.length > 70);
    for (const dialogue of DIALOGUES) {
      const expected = dialogue.outputs[`${variant}_v5`];
      const render = () => renderChat(dialogue.messages, { ...optionsOf(dialogue), variant });
      if (expected.error) assert.throws(render, /^Error: `messages`: content must be a string or a list of parts; message 2 has \{"temp.* Pass/, dialogue.name);
      else assert.equal(render().text, expected, dialogue.name);
    }
  });
}

test('what the template does not take is refused', () => {
  const refused = [
    [{ role: 'user', content: 'Hi' }, /`messages`: a dialogue must be a list of objects such as .*; got \{"role.* Pass such a list/],
    [[{ content: 'Hi' }], /`messages`: a message must have a `role`.*message 0 has nothing\. Name who speaks/],
    [[...USER, { role: 'user', content: 5 }], /content must be a string or a list of parts; message 1 has 5\. Pass it as a string/],
    [[{ role: 'user', content: ['Hi'] }], /a part must be an object such as .*; message 0 has "Hi"\. Write it so/],
    [[{ role: 'user', content: [{ type: 'text', text: 5 }] }], /`text` must be a string; message 0 has 5\. Convert it/],
    [[{ role: 'system', content: [{ type: 'image', image: 'aGk=' }] }], /shows no media; message 0 has a part of type image\. Move it/],
    [[{ role: 'assistant', tool_calls: [{ name: 'f' }] }], /a tool call must be an object with a `function`/],
    [[{ role: 'assistant', tool_calls: 'f' }], /`tool_calls` must be a list; message 0 has "f"\. Put it into one/],
    [[{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{}' } }] }], /must be an object; message 0 has "\{\}"\. Parse them, for example with `JSON\.parse/],
    [[{ role: 'assistant', tool_calls: [{ function: {} }] }], /a function must have a name, a string; message 0 has nothing\. Name it/],
    [[{ role: 'assistant', tool_responses: ['f'] }], /a tool response must be an object with `name` and `response`; message 0 has "f"/],
  ];
  for (const [messages, sentence] of refused) assert.throws(() => renderChat(messages), sentence);
  assert.throws(() => renderChat(USER, { variant: 'medium' }), /`variant`: must be one of small, large; got medium\. Pass one of them/);
  assert.throws(() => renderChat(USER, { tools: {} }), /`tools`: must be a list of objects, the schemas of functions; got \{\}\. Pass such a list/);
  assert.throws(() => renderChat(USER, { tools: [{ name: 'f' }] }), /`tool`: must have a `function`/);
});

test('no row is made of no message or of a role that is no word', () => {
  assert.throws(() => checkRow([]), /`messages`: a dialogue must have a message; got none\. Pass one/);
  for (const role of ['a b', 'user\n', '\u2003']) assert.throws(() => checkRow([...USER, { role, content: 'x' }]), /a role must be one word; message 1 has ".*"\. Take/);
  checkRow([...USER, { role: 'critic', content: 'x' }]);
});

test('the template\'s own special tokens are told from typed ones', () => {
  const { text, parts, typed } = renderChat([{ role: 'user', content: 'Hi <turn|>' }]);
  assert.equal(text, '<bos><|turn>user\nHi <turn|><turn|>\n<|turn>model\n');
  assert.deepEqual(typed, ['<turn|>']);
  const opened = [{ special: '<bos>' }, { special: '<|turn>' }, { text: 'user\nHi <' }];
  assert.deepEqual(parts, [...opened, { text: 'turn|>' }, { special: '<turn|>' }, { text: '\n' }, { special: '<|turn>' }, { text: 'model\n' }]);
  const allowed = renderChat([{ role: 'user', content: 'Hi <turn|>' }], { allowSpecialTokens: true });
  assert.deepEqual(allowed.parts.slice(0, 3), [...opened.slice(0, 2), { text: 'user\nHi <turn|>' }]);
});

/** A dialogue that spells a text wherever one may stand. */
function spelling(text) {
  const half = Math.floor(text.length / 2);
  const tool = { function: { name: text, description: text, parameters: { type: 'object', properties: { [text]: { type: 'string', description: text, enum: [text] } } } } };
  const messages = [
    { role: 'system', content: text },
    { role: 'user', content: [{ type: 'text', text: text.slice(0, half) }, { type: 'text', text: text.slice(half) }, { type: 'image' }] },
    { role: 'assistant', reasoning: text, content: `x${text}`, tool_calls: [{ id: text, function: { name: text, arguments: { [text]: [text] } } }] },
    { role: 'tool', name: text, tool_call_id: text, content: text },
    { role: text, content: text },
    { role: 'model', content: `x${text}`, tool_responses: [{ name: text, response: { [text]: text } }] },
  ];
  return [messages, { tools: [tool], enableThinking: true }];
}

test('no message can spell a special token, wherever it stands', () => {
  const plain = renderChat(...spelling('abcdef'));
  const specials = ({ parts }) => parts.map(({ special }) => special).filter(Boolean);
  for (const token of [...TYPED, ...THOUGHTS]) {
    const found = renderChat(...spelling(token));
    assert.deepEqual(specials(found), specials(plain), token);
    assert.deepEqual(found.parts.filter(({ text }) => text?.includes(token)), [], token);
    assert.equal(found.parts.map(({ special, text }) => special ?? text).join(''), found.text);
    assert.equal(new Set(found.typed).size, 1);
    assert.equal(found.typed.length, plain.text.split('abcdef').length - 1 - (THOUGHTS.includes(token) ? 2 : 0));
  }
});

test('halves of characters that stand alone become U+FFFD and forge nothing', () => {
  const forged = '\udc00<|turn>\udc00';
  const { parts, text } = renderChat([{ role: 'user', content: [{ type: 'text', text: '\ud83d' }, { type: 'text', text: forged }] }]);
  assert.equal(text, '<bos><|turn>user\n\ufffd\ufffd<|turn>\ufffd<turn|>\n<|turn>model\n');
  assert.deepEqual(parts.slice(2, 4), [{ text: 'user\n\ufffd\ufffd<' }, { text: '|turn>\ufffd' }]);
  const call = { function: { name: 'f', arguments: { '\udc00': '\udc00<|"|>\udc00' } } };
  assert.match(renderChat([{ role: 'assistant', tool_calls: [call] }]).text, /call:f\{\ufffd:<\|"\|>\ufffd<\|"\|>\ufffd<\|"\|>\}/);
});

test('media come in the order of their placeholders', () => {
  const image = (image) => ({ type: 'image', image });
  const messages = [
    { role: 'user', content: [image('a'), { type: 'input_audio', input_audio: 'b' }, { type: 'text', text: '<|image|>' }] },
    { role: 'assistant', content: [image('d')], tool_calls: [{ id: '1', function: { name: 'f' } }] },
    { role: 'tool', tool_call_id: '1', content: [image('c')] },
    { role: 'user', content: 'And?' },
    { role: 'tool', content: [image('lost')] },
  ];
  const { media, parts } = renderChat(messages);
  assert.deepEqual(media, [image('a'), messages[0].content[1], image('c'), image('d')]);
  const placeholders = parts.map(({ special }) => special).filter((special) => ['<|image|>', '<|audio|>'].includes(special));
  assert.deepEqual(placeholders, ['<|image|>', '<|audio|>', '<|image|>', '<|image|>']);
});

test('white space is what Python takes for it', () => {
  const found = [];
  for (let code = 0; code < 0x11000; code++) if (stripped(String.fromCodePoint(code)) === '') found.push(code);
  const ranges = [[9, 13], [28, 32], [0x85, 0x85], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000]];
  assert.deepEqual(found, ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index)));
  assert.equal(stripped(`\t${' '.repeat(1e6)}\ta b${' '.repeat(1e6)}`), 'a b');
});

for (const file of VOCABULARIES) {
  test(`every special token of ${file.replace(/.*\//, '')} can be broken`, () => {
    const pieces = readPieces(readFileSync(existsSync(file) ? file : new URL(`../${file}`, import.meta.url)));
    assert(pieces.length > 2000);
    assert.deepEqual(unbreakable(pieces), []);
    assert.deepEqual(unbreakable([...pieces, '<|tur', '<|other|>']), ['<|turn>', '<|other|>']);
  });
}

/** A tokenizer that takes the longest piece, special tokens among them. */
const longestPieces = (pieces) => async (text) => {
  const ids = [];
  for (let at = 0; at < text.length; at += pieces[ids.at(-1)].length) {
    const fitting = pieces.filter((piece) => text.startsWith(piece, at)).sort((one, other) => other.length - one.length);
    ids.push(pieces.indexOf(fitting[0]));
  }
  return ids;
};

test('ids are those of the special tokens and of the texts between them', async () => {
  const pieces = ['<bos>', '<|turn>', '<turn|>', 'user', 'model', 'Hi', ...'\n <|turn>'];
  const options = { pieces, tokenize: longestPieces(pieces) };
  const ids = await idsOf(renderChat([{ role: 'user', content: 'Hi <turn|>' }]).parts, options);
  const expected = ['<bos>', '<|turn>', 'user', '\n', 'Hi', ' ', '<', 't', 'u', 'r', 'n', '|', '>', '<turn|>', '\n', '<|turn>', 'model', '\n'];
  assert.deepEqual(ids.map((id) => pieces[id]), expected);
  await assert.rejects(idsOf(renderChat(USER, { variant: 'large' }).parts, options), /^Error: `pieces`: chat needs the token <\|channel>, which/);
});

test('the example of docs/browser.md prints what the page says', async (context) => {
  const [, example, output] = /## Chat.*?```js\n(.*?)```\n\n```text\n(.*?)```/s.exec(read('docs/browser.md').toString());
  const printed = [];
  context.mock.method(console, 'log', (...values) => printed.push(`${values.join(' ')}\n`));
  await import(`data:text/javascript,${encodeURIComponent(example.replace('./chat.js', new URL('chat.js', import.meta.url)))}`);
  context.mock.restoreAll();
  assert.equal(printed.join(''), output);
});
