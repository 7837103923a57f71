// The bundle in a real browser against Python's answers: `BUNDLE=folder GOLDEN=golden.json node --test test.js`, which `make test-browser` does.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { AGREES, MEDIA, colours, kinds, openPage, signatures } from './test_page.js';

const PAGE = new URL('../docs/browser.md', import.meta.url);
const FILES_WITHIN = 3 / 255; // a browser's canvas holds colours times alpha, in 8 bits

const testOf = (kind, name, body) => kinds.has(kind) && test(name, body);
const golden = JSON.parse(readFileSync(process.env.GOLDEN, 'utf8'));

let opened;
let page;

before(async () => {
  opened = await openPage({ golden: process.env.GOLDEN });
  page = opened.page;
});

after(() => opened?.close());

test('ids are those of Python, of hostile texts and of texts that fill a signature too', async (context) => {
  const different = await page.evaluate(async () => {
    const different = [];
    for (const { text, ids } of golden.texts) {
      const ours = await preprocessor.tokenize(text);
      if (ours.ids.join() !== ids.join()) different.push(text);
    }
    return different;
  });
  assert.deepEqual(different, []);
  assert(golden.texts.length >= 60);
  context.diagnostic(`${golden.texts.length} texts`);
});

test('pieces are the words of the vocabulary and spell the text', async () => {
  const { pieces } = await page.evaluate(() => preprocessor.tokenize('This is a test.'));
  assert.equal(pieces.join('').replaceAll('▁', ' '), 'This is a test.');
});

test('a text longer than every signature is an error with the sentence of Python', async () => {
  const messages = await page.evaluate(() => Promise.all(golden.errors.map(({ text }) => preprocessor.tokenize(text).catch((error) => error.message))));
  assert.deepEqual(messages, golden.errors.map(({ message }) => message));
});

test('ids become the text again', async () => {
  const texts = ['', ' Größe 👩‍🚀 日本語 <|image|>\n', '\ufeffbyte order mark'];
  const again = await page.evaluate((texts) => Promise.all(texts.map(async (text) => preprocessor.detokenize((await preprocessor.tokenize(text)).ids))), texts);
  assert.deepEqual(again, texts);
});

test('every output of every signature is that of Python on the same bundle, padding included', async (context) => {
  const runs = await page.evaluate(async () => {
    const runs = [];
    for (const { signature, inputs, outputs } of golden.runs) {
      const ours = await preprocessor.run(signature, inputs);
      for (const [name, theirs] of Object.entries(outputs)) {
        runs.push({ signature, name, float: theirs instanceof Float32Array, size: theirs.length, ...difference(ours[name], theirs) });
      }
    }
    return runs;
  });
  assert.deepEqual(new Set(runs.map(({ signature }) => signature)), new Set(Object.keys(signatures)));
  assert.deepEqual(runs.filter(({ float, differing }) => !float && differing), []);
  for (const [name, agrees] of Object.entries(AGREES)) {
    const found = runs.filter((run) => run.name === name);
    if (found.length) context.diagnostic(`${name}: within ${Math.max(...found.map(({ largest }) => largest))}`);
    assert.deepEqual(found.filter((run) => !agrees(run)), []);
  }
});

testOf('preprocess_audio', 'a recording has the spectrogram and the soft tokens of Python', async (context) => {
  const found = await page.evaluate(async () => {
    const { audioMel, audioMelMask, softTokens } = await preprocessor.preprocessAudio(golden.audio.samples);
    const { audio_mel, audio_mel_mask, soft_tokens } = golden.audio;
    return { mel: difference(audioMel, audio_mel), mask: difference(audioMelMask, audio_mel_mask), counts: [softTokens, soft_tokens[0]] };
  });
  context.diagnostic(`log-mel within ${found.mel.largest}`);
  assert(AGREES.audio_mel(found.mel));
  assert.equal(found.mask.differing, 0);
  assert.equal(found.counts[0], found.counts[1]);
});

testOf('preprocess_image', 'a photograph has the patches and the soft tokens of Python', async (context) => {
  const found = await page.evaluate(async () => {
    const { pixels, pixel_values, pixel_position_ids, soft_tokens } = golden.image;
    const [height, width] = golden.image.size;
    const picture = new ImageData(width, height);
    for (let index = 0; index < width * height; index++) picture.data.set([...pixels.subarray(3 * index, 3 * index + 3), 255], 4 * index);
    const { pixelValues, pixelPositionIds, softTokens } = await preprocessor.preprocessImage(picture);
    const positions = difference(pixelPositionIds, pixel_position_ids);
    return { pixels: difference(pixelValues, pixel_values), positions, counts: [softTokens, soft_tokens[0]], size: pixelValues.length };
  });
  context.diagnostic(`pixels within ${found.pixels.largest * 255}/255, ${found.pixels.differing} of ${found.size} differ`);
  assert(AGREES.pixel_values({ ...found.pixels, size: found.size }));
  assert.equal(found.positions.differing, 0);
  assert.equal(found.counts[0], found.counts[1]);
});

testOf('preprocess_image', 'a photograph with a budget of its own has the patches and the row of Python', async (context) => {
  const found = await page.evaluate(async () => {
    const { pixels, small } = golden.image;
    const [height, width] = golden.image.size;
    const picture = new ImageData(width, height);
    for (let index = 0; index < width * height; index++) picture.data.set([...pixels.subarray(3 * index, 3 * index + 3), 255], 4 * index);
    const { pixelValues, softTokens } = await preprocessor.preprocessImage(picture, { maxSoftTokens: small.most });
    const row = await preprocessor.generatePreprocess(small.prompt, { images: [softTokens], maxSoftTokens: [small.most] });
    const { numTokens } = await preprocessor.countTokens(small.prompt, { images: [[height, width]], maxSoftTokens: [small.most] });
    const refused = await preprocessor.preprocessImage(picture, { maxSoftTokens: 71 }).catch((error) => error.message);
    const used = small.values.length;
    const pixelsFound = { ...difference(pixelValues.subarray(0, used), small.values), rest: pixelValues.subarray(used).some(Boolean) };
    const length = row.padding_mask.reduce((sum, one) => sum + one, 0);
    return { pixels: pixelsFound, size: used, counts: [softTokens, small.soft_tokens[0]], ids: difference(row.token_ids, small.token_ids), lengths: [numTokens, length], refused };
  });
  context.diagnostic(`pixels within ${found.pixels.largest * 255}/255, ${found.pixels.differing} of ${found.size} differ`);
  assert(AGREES.pixel_values({ ...found.pixels, size: found.size }));
  assert(!found.pixels.rest);
  assert.equal(found.counts[0], found.counts[1]);
  assert.equal(found.ids.differing, 0);
  assert.equal(found.lengths[0], found.lengths[1]);
  assert.match(found.refused, /^`max_soft_tokens`: must be one of 70, .*; got 71, and its own is 280/);
});

testOf('preprocess_image', 'files are turned and composited as the bundle says', async (context) => {
  const found = await page.evaluate(async () => {
    const { files } = preprocessor.description;
    const own = files.image;
    const found = [];
    for (const { kind, settings, file, pixel_values } of golden.files) {
      files.image = { ...own, ...settings };
      const bitmap = await preprocessor.decodeImage(new Blob([file]));
      const { pixelValues } = await preprocessor.preprocessImage(bitmap);
      found.push({ kind: kind.join(' '), turned: settings.apply_exif_orientation, ...difference(pixelValues, pixel_values) });
    }
    files.image = own;
    return found;
  });
  assert.equal(found.length, golden.files.length);
  for (const { kind, turned, largest, differing } of found) context.diagnostic(`${kind}, ${turned ? 'turned' : 'as it is'}: within ${(largest * 255).toFixed(2)}/255, ${differing} differ`);
  assert.deepEqual(found.filter(({ largest }) => largest > FILES_WITHIN), []);
});

test('a file that cannot be decoded is called by its name', async () => {
  const sentences = await page.evaluate(async () => {
    const refused = (promise) => promise.then(() => 'accepted', (error) => error.message);
    const files = ['%PDF-1.4', '\n<!DOCTYPE html><p>404', '\x89PNG\r\n', 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAA', 'RIFF....WAVEfmt '];
    const blobs = files.map((text) => new Blob([Uint8Array.from(text, (letter) => letter.charCodeAt(0))]));
    const images = await Promise.all(blobs.map((blob) => refused(preprocessor.decodeImage(blob))));
    return { images, audio: await refused(preprocessor.decodeAudio(blobs[0])), damaged: await refused(preprocessor.decodeAudio(blobs[4])) };
  });
  const [pdf, html, cut, base64, wav] = sentences.images;
  assert.match(pdf, /^`images`: an image must be .*; got a PDF document, 8 bytes\. Turn its pages/);
  assert.match(html, /got an HTML page, 22 bytes\./);
  assert.match(cut, /an image must be an intact JPEG.*got 6 bytes that do not decode/);
  assert.match(base64, /got base64 text, 39 bytes\./);
  assert.match(wav, /got a WAV file, 16 bytes\. Pass it as `audio`/);
  assert.match(sentences.audio, /^`audio`: a clip must be a WAV file; got a PDF document, 8 bytes\./);
  assert.match(sentences.damaged, /a clip must be a RIFF WAVE file/);
});

test('a medium larger than every signature is an error with its sentence', async () => {
  const [image, audio] = await page.evaluate(async () => {
    const [, rows, columns] = preprocessor.buckets('preprocess_image').at(-1)?.size ?? [0, 1, 1];
    const [, samples] = preprocessor.buckets('preprocess_audio').at(-1)?.size ?? [0, 0];
    const refused = (promise) => promise.then(() => 'accepted', (error) => error.message);
    const picture = new ImageData(columns + 1, rows);
    return [await refused(preprocessor.preprocessImage(picture)), await refused(preprocessor.preprocessAudio(new Float32Array(samples + 1)))];
  });
  assert.match(image, kinds.has('preprocess_image') ? /must lie within the array/ : /no such signature/);
  assert.match(audio, kinds.has('preprocess_audio') ? /a length must be from 0 to the number of samples/ : /no such signature/);
});

test("a model's row is that of Python's class", async () => {
  const rows = await page.evaluate(async () => {
    const counts = { image: golden.image?.soft_tokens[0], audio: golden.audio?.soft_tokens[0] };
    const rows = [];
    for (const { prompt, media, features } of golden.rows) {
      const [images, audio] = ['image', 'audio'].map((wanted) => media.filter((medium) => medium === wanted).map((medium) => counts[medium]));
      const row = await preprocessor.generatePreprocess(prompt, { images, audio });
      // Python's row has tensors of the media that are there, this one of all slots.
      const wanted = Object.entries(row).map(([name, { length }]) => [name, Int32Array.from({ length }, (_, index) => features[name]?.[index] ?? 0)]);
      rows.push({ prompt, differing: wanted.filter(([name, theirs]) => difference(row[name], theirs).differing).map(([name]) => name) });
    }
    return rows;
  });
  assert(rows.length >= 2);
  assert.deepEqual(rows.filter(({ differing }) => differing.length), []);
});

test('what is wrong with a row is an error with its sentence', async () => {
  const message = await page.evaluate(() => preprocessor.generatePreprocess('<|audio|><|audio|><|image|>').catch((error) => error.message));
  assert.match(message, /^`prompts`: a prompt needs one `<\|(audio|image)\|>` for each of its (clips|images); got \d placeholder/);
  const surplus = await page.evaluate(() => preprocessor.generatePreprocess('', { audio: Array(9).fill(1) }).catch((error) => error.message));
  assert.match(surplus, /^`audio_soft_tokens`: this bundle has \d slot\(s\); got 9\. Leave some out/);
});

test('a generated row becomes text without its special tokens', async () => {
  const text = await page.evaluate(async () => {
    const { token_ids, padding_mask } = await preprocessor.generatePreprocess('Grüße 👩‍🚀');
    return preprocessor.generatePostprocess(token_ids, padding_mask);
  });
  assert.equal(text, 'Grüße 👩‍🚀');
});

test('the example of docs/browser.md runs', async () => {
  const [, example] = /```js\n(.*?)```/s.exec(readFileSync(PAGE, 'utf8'));
  const printed = page.waitForEvent('console', (message) => message.type() === 'log');
  await page.addScriptTag({ type: 'module', content: example });
  const [ids, softTokens, length] = (await (await printed).text()).split(' | ');
  assert.deepEqual(ids.split(' ').map(Number), golden.texts.find(({ text }) => text === 'This is a test.').ids);
  assert.deepEqual([softTokens, length], ['25', '1024']);
});

test('the playground shows tokens of what is typed', async () => {
  await page.click('#text-tab');
  const { ids } = golden.texts.find(({ text }) => text === 'This is a test.');
  await page.fill('#typed', 'This is a test.');
  await page.waitForFunction((count) => document.querySelector('#text-count').textContent === `${count} tokens`, ids.length);
  const shown = await page.$$eval('#tokens li', (items) => items.map(({ firstChild, lastChild }) => [firstChild.textContent, Number(lastChild.textContent)]));
  assert.equal(shown.map(([piece]) => piece).join(''), 'This▁is▁a▁test.');
  assert.deepEqual(shown.map(([, id]) => id), ids);
  const painted = await page.$$eval('#tokens li', (items) => items.map((item) => getComputedStyle(item).backgroundColor));
  assert.equal(new Set(painted).size, new Set(ids).size);
  await page.fill('#typed', 'x'.repeat(5000));
  await page.waitForSelector('#text-count.bad');
  assert.match(await page.textContent('#text-count'), /^`prompts`, `text`: a length must be/);
  await page.fill('#typed', 'Hello');
  await page.waitForSelector('#text-count:not(.bad)');
});

test('the playground shows tokens of a dialogue', async () => {
  await page.click('#chat-tab');
  await page.fill('#dialogue', 'user: Hi\nthere <turn|>');
  await page.waitForFunction(() => document.querySelector('#chat-count').textContent.includes('; 1 special token that messages spell'));
  const shown = () => page.$$eval('#chat-tokens li', (items) => items.map(({ firstChild }) => firstChild.textContent));
  assert.equal((await shown()).join(''), '<bos><|turn>user⏎Hi⏎there▁<turn|><turn|>⏎<|turn>model⏎');
  assert.equal((await shown()).filter((piece) => piece === '<turn|>').length, 1);
  await page.check('#thinking');
  await page.waitForFunction(() => document.querySelector('#chat-tokens').textContent.includes('<|think|>'));
});

testOf('preprocess_audio', 'the playground draws the spectrogram of a WAV', async () => {
  await page.click('#audio-tab');
  await page.setInputFiles('#sound', path.join(MEDIA, 'speech.wav'));
  await page.waitForSelector('#mel', { state: 'visible' });
  await page.waitForFunction(() => document.querySelector('#audio-count').textContent !== '…');
  assert.match(await page.textContent('#audio-count'), /^123 soft tokens of 490 frames$/);
  assert(await colours(page, '#mel') > 50);
  await page.waitForFunction(() => document.querySelector('#row-tokens').textContent.includes('<|audio|> ×123'));
});

test('ids that come one at a time give the same text', async () => {
  const found = await page.evaluate(async () => {
    const { ids } = golden.stream;
    let [text, pending] = ['', undefined];
    for (const [place, id] of ids.entries()) {
      const part = await preprocessor.detokenizeStream([id], { pending, isLast: place + 1 === ids.length });
      text += part.text;
      pending = part.pending;
    }
    return { text, pending: Array.from(pending) };
  });
  assert.deepEqual(found, { text: await page.evaluate(() => golden.stream.text), pending: [0, 0, 0] });
});

test('tokens come with their places', async () => {
  const [found, expected] = await page.evaluate(async () => {
    const found = [];
    for (const { text } of golden.offsets) {
      const { ids, byteSpans, characterSpans } = await preprocessor.tokenizeWithOffsets(text);
      found.push({ text, token_ids: Array.from(ids), byte_spans: byteSpans, character_spans: characterSpans });
    }
    return [found, golden.offsets];
  });
  assert.deepEqual(found, expected);
});

test('requests are counted, those that do not fit too', async () => {
  const [found, expected, long] = await page.evaluate(async () => {
    const found = [];
    for (const { prompt, sizes } of golden.counts) {
      const { numTokens, fits } = await preprocessor.countTokens(prompt, sizes);
      found.push({ prompt, sizes, num_tokens: numTokens, fits });
    }
    const length = Math.max(...preprocessor.buckets('tokenize').map(({ size }) => size[0]));
    return [found, golden.counts, await preprocessor.countTokens('\u0001'.repeat(length))];
  });
  assert.deepEqual(found, expected);
  assert.equal(long.fits, long.numTokens <= 1024);
});

test('an answer is taken apart as Python does it', async () => {
  const [found, expected] = await page.evaluate(async () => [await preprocessor.parseResponse(golden.answer.ids), golden.answer]);
  assert.deepEqual({ ids: expected.ids, thought: found.thought, content: found.content, calls: found.calls, finish_reason: found.finishReason }, expected);
});

test('dialogues have the ids of Python, what they spell is characters', async () => {
  const [found, expected] = await page.evaluate(async () => {
    const found = [];
    for (const { messages, options } of golden.chats) {
      const { ids, typed } = await preprocessor.tokenizeChat(messages, options);
      const row = await preprocessor.generatePreprocessChat(messages, options).catch((error) => error.message);
      found.push({ messages, options, ids: Array.from(ids), typed, row: row.token_ids ? Array.from(row.token_ids.filter((_, place) => row.padding_mask[place])) : row });
    }
    return [found, golden.chats];
  });
  assert.deepEqual(found.map(({ messages, options, ids }) => ({ messages, options, ids })), expected);
  assert.deepEqual(found.map(({ typed }) => typed.length), [0, 0, 2, 2, 0, 0, 3, 3]);
  for (const { ids, typed, row } of found) {
    if (typed.length) assert.match(row, /^`messages`: must spell no special token, which this signature reads as one; got <.*\. Take it out/);
    else assert.deepEqual(row, ids);
  }
});

testOf('preprocess_image', 'the playground draws the patches of a picture', async () => {
  await page.click('#image-tab');
  await page.setInputFiles('#picture', path.join(MEDIA, 'photo.jpg'));
  await page.waitForSelector('#patches', { state: 'visible' });
  await page.waitForFunction(() => document.querySelector('#image-count').textContent !== '…');
  assert.match(await page.textContent('#image-count'), new RegExp(`^${await page.evaluate(() => golden.image.soft_tokens[0])} soft tokens of \\d+ × \\d+ patches`));
  assert(await colours(page, '#patches') > 50);
  await page.waitForFunction(() => document.querySelector('#row-tokens').textContent.includes('<|image|> ×'));
  const shown = await page.$$eval('#row-tokens li', (items) => items.map(({ firstChild }) => firstChild.textContent));
  const [inRow] = shown.flatMap((text) => /^<\|image\|> ×(\d+)$/.exec(text)?.[1] ?? []);
  const [, own, held = own] = /^(\d+) soft tokens.*?(?:the row has (\d+) for it)?$/.exec(await page.textContent('#image-count'));
  assert.equal(inRow, held);
});

testOf('preprocess_image', 'the playground takes an example, with the budget that is chosen', async () => {
  const choice = await page.$eval('#budget-choice', (label) => label.hidden);
  assert.equal(choice, !signatures[Object.keys(signatures).find((name) => name.startsWith('preprocess_image'))].inputs.max_soft_tokens);
  if (choice) return;
  await page.click('#image-tab');
  await page.click('#picture-example');
  await page.selectOption('#budget', '70');
  await page.waitForFunction(() => /^(6\d|70) soft tokens/.test(document.querySelector('#image-count').textContent));
  await page.waitForFunction(() => document.querySelector('#row-tokens').textContent.includes('<|image|> ×70'));
  await page.selectOption('#budget', String(await page.evaluate(() => preprocessor.description.preprocessor.image_converter.config.max_soft_tokens)));
  await page.waitForFunction(() => document.querySelector('#row-tokens').textContent.includes('<|image|> ×280'));
});

testOf('preprocess_audio', 'the playground says in words how long a sound it takes', async () => {
  await page.click('#audio-tab');
  const most = Math.max(...(await page.evaluate(() => preprocessor.buckets('preprocess_audio').map(({ size }) => size.at(-1)))));
  const header = Buffer.from('RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\0\0\0', 'latin1');
  const samples = Buffer.alloc(2 * (most + 16000));
  header.writeUInt32LE(36 + samples.length, 4);
  header.writeUInt32LE(samples.length, 40);
  await page.setInputFiles('#sound', { name: 'long.wav', mimeType: 'audio/wav', buffer: Buffer.concat([header, samples]) });
  await page.waitForFunction(() => document.querySelector('#audio-count').textContent.startsWith('This page takes'));
  assert.equal(await page.textContent('#audio-count'), `This page takes ${most / 16000} s of sound; this is ${most / 16000 + 1}.0 s.`);
  assert(await page.isHidden('#mel'));
  await page.click('#sound-example');
  await page.waitForSelector('#mel', { state: 'visible' });
});

test('speed', async (context) => {
  const times = await page.evaluate(async () => {
    const times = {};
    const measure = async (name, action) => {
      const taken = [];
      for (let turn = 0; turn < 9; turn++) {
        const start = performance.now();
        await action();
        taken.push(performance.now() - start);
      }
      times[name] = taken.sort((one, other) => one - other)[4];
    };
    const text = 'The quick brown fox jumps over the lazy dog. '.repeat(30).slice(0, 1024);
    await measure('ids of 1,024 bytes', () => preprocessor.tokenize(text));
    if (golden.audio) await measure('10 s of audio', () => preprocessor.preprocessAudio(new Float32Array(160000).fill(0.1)));
    if (golden.image) {
      const [height, width] = golden.image.size;
      await measure(`an image of ${width} × ${height}`, () => preprocessor.preprocessImage(new ImageData(width, height)));
    }
    return times;
  });
  for (const [name, milliseconds] of Object.entries(times)) context.diagnostic(`${name}: ${milliseconds.toFixed(1)} ms`);
  assert(Object.keys(times).length >= 1);
});

test('the server gives files of its folders only', async () => {
  const statuses = ['index.html', '../README.md', '%2e%2e/README.md', 'bundle/%2e%2e/golden.json', '%', 'bundle/'].map(async (name) => {
    const request = { port: opened.server.address().port, path: `/${name}` };
    return new Promise((resolve) => get(request, (response) => resolve(response.resume().statusCode)));
  });
  assert.deepEqual(await Promise.all(statuses), [200, 404, 404, 404, 404, 404]);
});

test('the browser had nothing to complain about', () => assert.deepEqual(opened.complaints, []));
