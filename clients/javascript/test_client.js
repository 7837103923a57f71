// The client beside the embedded server: TINY is the address of one with a small model, DEMO of one with the
// demonstration's export, GOLDEN a file with that one's row by way of gRPC. tests/gemma4_client/test_javascript.py
// starts both and runs this.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {test} from 'node:test';
import {format} from 'node:util';

import {
  Client, ClientError, DeadlineExceeded, InputError, Refused, RETRIES, RowError, Unavailable, checked, encoded,
  pauseAfter,
} from './gemma4_client.js';

const {TINY, DEMO, GOLDEN} = process.env;
const OFTEN = {attempts: 1000, initialMs: 5, maxMs: 50};
const EMPTY = /^`prompts`: must not be empty; got ''/;
const client = new Client(TINY);

/** Calls `use` with the address of a server that `answer` answers for, and counts its requests. */
async function served(answer, use, port = 0) {
  let requests = 0;
  const server = createServer((request, response) => answer(request, response, (requests += 1)));
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${server.address().port}`, () => requests);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Sends what a server was asked on to the one with the small model. */
async function forward(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = request.method === 'POST' ? Buffer.concat(parts) : undefined;
  const answer = await fetch(TINY + request.url, {method: request.method, body});
  response.writeHead(answer.status).end(await answer.text());
}

function refuse(status, headers = {}) {
  return (response) => response.writeHead(status, headers).end(JSON.stringify({error: 'try later'}));
}

test('texts become ids and ids texts', async () => {
  assert.deepEqual(await client.tokenize(['ab', '', 'né']), [[97, 98], [], [110, 233]]);
  const {texts, statuses} = await client.detokenize([[97, 98], [], [233]]);
  assert.deepEqual([texts, statuses], [['ab', '', 'é'], ['', '', '']]);
});

test('rows may have different numbers of files, and keep their statuses', async () => {
  const images = [[Uint8Array.of(0, 255, 1), new Uint8Array(0)], [], [Uint8Array.of(7)]];
  const answer = await client.generatePreprocess(['a', '', 'b'], {images});
  assert.deepEqual(answer.outputs.sizes, [3, 0, 1]);
  assert.deepEqual([...answer.faults.keys()], [1]);
  assert.match(answer.statuses[1], EMPTY);
  assert.throws(() => checked(answer), RowError);
  const good = await client.generatePreprocess(['a']);
  assert.equal(checked(good), good);
  assert.equal(good.outputs.sizes, undefined);
});

test('rows come in rows too', async () => {
  const {rows, faults} = await client.predictRows('generate', [{prompts: 'a', seed: 7}, {prompts: 'b', seed: -1}]);
  assert.deepEqual(rows.map((row) => row.text), ['a 7', 'b -1']);
  assert.equal(faults.size, 0);
  const trained = await client.predictRows('generate_preprocess_text', [{prompts: 'a'}, {prompts: ''}]);
  assert.deepEqual([...trained.faults.keys()], [1]);
});

test('tokens are counted from sizes', async () => {
  const counts = await client.countTokens(['ab', 'c'], {imageSizes: [[[3, 4]], []]});
  assert.deepEqual([counts.numTokens, counts.fits], [[9, 1], [true, true]]);
  assert.deepEqual((await client.countTokens(['a'.repeat(20)])).statuses, ['too long']);
});

test('bytes are base64, typed arrays arrays', () => {
  const bytes = Uint8Array.from({length: 100_000}, (_, index) => index % 256);
  assert.deepEqual(Buffer.from(encoded(bytes).b64, 'base64'), Buffer.from(bytes));
  assert.deepEqual(encoded({x: [Int32Array.of(1, 2)], y: bytes.buffer.slice(0, 1)}), {x: [[1, 2]], y: {b64: 'AA=='}});
  assert.deepEqual(encoded([true, null, 'a']), [true, null, 'a']);
});

test('what the signature does not take is refused before it is sent', async () => {
  const refused = (promise, message) => assert.rejects(promise, (error) => error instanceof InputError && message.test(error.message));
  await refused(client.predict('fly', {}), /^signature: must be one of the model's, count_tokens, .*; got fly\. Pass/);
  await refused(client.predict('tokenize', {texts: []}), /^inputs: tokenize takes text; got texts\. Pass/);
  await refused(client.tokenize('Hello'), /^texts: must be an array, one a row; got string\. Pass \[value\]/);
  await refused(client.generatePreprocess(['a'], {images: [Uint8Array.of(1)]}), /^images of a row: must be an array/);
  await refused(client.tokenize(['a'], {timeout: 0}), /^timeout: must be over 0; got 0/);
  assert.throws(() => new Client('localhost:8500'), /^InputError: url: must begin with http/);
  assert.throws(() => new Client(TINY, {version: 1, label: 'x'}), /^InputError: label: must be alone; got version 1/);
  assert.throws(() => new Client(TINY, {retries: {attempts: 0}}), /^InputError: attempts: must be over 0; got 0/);
});

test('what only the server can know it refuses', async () => {
  await assert.rejects(client.predict('tokenize', {text: [['a']]}), (error) => error instanceof Refused && error.status === 400);
  await assert.rejects(client.predict('tokenize', {text: [1]}), /HTTP 400: .*is not of expected type: string/);
  for (const other of [new Client(TINY, {model: 'other'}), new Client(TINY, {version: 9})]) {
    assert.equal(await other.ready(), false);
    await assert.rejects(other.tokenize(['a']), Refused);
  }
  await assert.rejects(new Client(TINY, {label: 'x'}).ready(), /HTTP 400: Unrecognized servable version label: x/);
  assert.equal(await new Client(`${TINY}/`, {version: 1}).ready(), true);
});

test('signatures are told without those of TensorFlow', async () => {
  const signatures = await client.signatures();
  assert.deepEqual(signatures.tokenize.inputs, {text: {dtype: 'DT_STRING', shape: [null]}});
  assert.ok(!Object.keys(signatures).some((name) => name.startsWith('__')));
});

for (const [name, fault] of Object.entries({
  '503': refuse(503), '429': refuse(429, {'retry-after': '0'}), 'a lost connection': (response) => response.destroy(),
})) {
  test(`${name} is asked again`, async () => {
    const answer = (request, response, number) => (number % 3 ? fault(response) : forward(request, response));
    await served(answer, async (url, requests) => {
      assert.deepEqual(await new Client(url, {retries: OFTEN}).tokenize(['ab']), [[97, 98]]);
      assert.equal(requests(), 6); // for the signatures, and for the ids
    });
    await served((_, response) => fault(response), async (url, requests) => {
      const few = new Client(url, {retries: {...OFTEN, attempts: 3}});
      assert.equal(await few.ready(), false);
      await assert.rejects(few.tokenize(['a']), (error) => error instanceof Unavailable && error.attempts === 3);
      assert.equal(requests(), 4);
    });
  });
}

test('another answer is not asked again', async () => {
  await served((_, response) => refuse(500)(response), async (url, requests) => {
    await assert.rejects(new Client(url, {retries: OFTEN}).tokenize(['a']), /Refused: .*HTTP 500: try later/);
    assert.equal(requests(), 1);
  });
  await served((_, response) => response.end('<html>'), async (url) => {
    await assert.rejects(new Client(url).tokenize(['a']), (error) => error instanceof ClientError && /must answer in JSON/.test(error.message));
  });
});

test('a server that starts late is waited for', async () => {
  const port = await served(() => {}, (url) => Number(new URL(url).port));
  const asked = new Client(`http://127.0.0.1:${port}`, {retries: OFTEN}).tokenize(['ab']);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await served(forward, async () => assert.deepEqual(await asked, [[97, 98]]), port);
});

test('a deadline passes over all attempts, and a caller may stop sooner', async () => {
  await served(() => {}, async (url) => {
    const silent = new Client(url, {timeout: 100, retries: OFTEN});
    const begin = performance.now();
    await assert.rejects(silent.tokenize(['a']), (error) => error instanceof DeadlineExceeded && /within 100 ms/.test(error.message));
    assert.equal(await silent.ready(), false);
    await assert.rejects(silent.tokenize(['a'], {signal: AbortSignal.timeout(20), timeout: 5000}), {name: 'TimeoutError'});
    await assert.rejects(silent.tokenize(['a'], {signal: AbortSignal.abort()}), {name: 'AbortError'});
    assert.ok(performance.now() - begin < 4000);
  });
  await served((_, response) => refuse(503)(response), async (url) => {
    const steady = {initialMs: 500, multiplier: 1, jitter: 0};  // 0, 500 and 1,000 ms, and then it would be too late
    await assert.rejects(new Client(url, {timeout: 1500, retries: steady}).tokenize(['a']), /in each of [23] attempts/);
    await assert.rejects(new Client(url, {retries: {initialMs: 60_000}}).tokenize(['a'], {timeout: 1000}), Unavailable);
    const waiting = new Client(url, {retries: {initialMs: 5000}}).tokenize(['a'], {signal: AbortSignal.timeout(20)});
    await assert.rejects(waiting, {name: 'TimeoutError'});
  });
});

test('pauses grow, are drawn, and have a bound', () => {
  for (const [attempt, wanted] of [[1, 100], [2, 200], [3, 400], [100, 5000]]) {
    const pause = pauseAfter(RETRIES, attempt);
    assert.ok(0.8 * wanted <= pause && pause <= 1.2 * wanted, `${pause}`);
  }
});

test('the example of the documentation prints what stands below it', async () => {
  const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');
  const [, example, output] = /```js\n(.*?)```\n\n```text\n(.*?)```/s.exec(page);
  const [imported, ...lines] = example.split('\n');
  assert.match(imported, /^import \{Client, checked\} from '\.\/clients\/javascript\/gemma4_client\.js';$/);
  const {photo} = JSON.parse(readFileSync(GOLDEN, 'utf8'));
  const printed = [];
  const scope = {
    Client, checked, fetch: async () => new Response(readFileSync(photo)),
    console: {log: (...values) => printed.push(`${format(...values)}\n`)},
  };
  const body = lines.join('\n').replace('http://localhost:8501', DEMO);
  await new (async () => {}).constructor(...Object.keys(scope), body)(...Object.values(scope));
  assert.equal(printed.join(''), output);
});

test('a row of the demonstration is that of gRPC', async () => {
  const golden = JSON.parse(readFileSync(GOLDEN, 'utf8'));
  const [photo, speech] = [golden.photo, golden.speech].map((path) => new Uint8Array(readFileSync(path)));
  const demo = new Client(DEMO);
  const {outputs, statuses} = await demo.generatePreprocess(golden.prompts, {images: [[photo], []], audio: [[speech], []]});
  assert.deepEqual(statuses, golden.statuses);
  assert.deepEqual(outputs.token_ids, golden.token_ids);
  const pixels = Float32Array.from(outputs.pixel_values.flat(3));
  assert.equal(createHash('sha256').update(pixels).digest('hex'), golden.pixels_sha256);
});
