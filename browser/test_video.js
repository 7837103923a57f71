// Videos in a real browser against Python's answers, and the playground's tab for them: `BUNDLE=folder GOLDEN=golden.json node --test test_video.js`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { AGREES, MEDIA, colours, kinds, openPage, settings } from './test_page.js';
import { clock, planned, sampledFrames, shownAt } from './video.js';

const golden = JSON.parse(readFileSync(process.env.GOLDEN, 'utf8'));
const FILM_WITHIN = 4 / 255; // on average: browsers turn a video's colours into RGB by code of their own
const hasVideos = kinds.has('preprocess_video');
const testOf = (name, body) => hasVideos && test(name, body);
const fileOf = (name, place = 0) => inflateSync(Buffer.from(golden.video.files.find((each) => each.name === name).files[place].base64, 'base64'));

let opened;
let page;

before(async () => {
  opened = await openPage({ golden: process.env.GOLDEN });
  page = opened.page;
});

after(() => opened?.close());

test('the frames that are taken are those of Python, in either parity', () => {
  assert(golden.sampling.length >= 90);
  for (const { total, settings, taken } of golden.sampling) assert.deepEqual(sampledFrames(total, settings), taken, JSON.stringify({ total, settings }));
});

test('frames have the places that were given, or in one parity their own', () => {
  const cases = [
    [{ frames: 3, frameIndices: [5, 6, 9] }, 'keras_hub', { wanted: [0, 1, 2], ofFrames: [5, 5, 6, 9] }],
    [{ frames: 3 }, 'keras_hub', { wanted: [0, 1, 2], ofFrames: [-1, -1, -1, -1] }],
    [{ frames: 8 }, 'keras_hub', { wanted: [0, 2, 4, 7], ofFrames: [-1, -1, -1, -1] }],
    [{ frames: 8 }, 'transformers', { wanted: [0, 2, 4, 6], ofFrames: [0, 2, 4, 6] }],
    [{ frames: 2, frameIndices: [1, 3] }, 'transformers', { wanted: [0, 1], ofFrames: [1, 3, -1, -1] }],
  ];
  for (const [video, parity, { wanted, ofFrames }] of cases) {
    const plan = planned(video, { numFrames: 4, parity });
    assert.deepEqual([plan.wanted, Array.from(plan.ofFrames)], [wanted, ofFrames], JSON.stringify([video, parity]));
  }
  assert.throws(() => planned({ frames: 3, frameIndices: [1] }, { numFrames: 4, parity: 'keras_hub' }), /^Error: `frameIndices`: must be one number for each frame .*; got 1 for 3\./);
});

test('times are whole seconds, as minutes and seconds', () => {
  const clip = { softTokens: [60, 60, 0], frameIndices: [1400, 184_000, -1], fps: 1000 };
  assert.deepEqual(shownAt(clip, 24), [1, 184, undefined]);
  assert.deepEqual(shownAt({ ...clip, frameIndices: [-1, -1, -1], fps: 0 }, 0.5), [0, 2, undefined]);
  assert.deepEqual([0, 67, 6000].map(clock), ['00:00', '01:07', '100:00']);
});

testOf('animations, frames and a video file have the frames, times and rows of Python', async (context) => {
  const found = await page.evaluate(async () => {
    const found = [];
    for (const { name, files, frame_indices, fps, pixel_values, position_ids, rows } of golden.video.files) {
      const video = await preprocessor.decodeVideo(files.map((file) => new Blob([file])));
      const clip = await preprocessor.preprocessVideo(video);
      const compared = [];
      for (const { prompt, features } of rows) {
        const images = prompt.includes('<|image|>') ? [Number(golden.image.soft_tokens[0])] : [];
        const row = await preprocessor.generatePreprocess(prompt, { images, videos: [clip] });
        const wanted = Object.entries(row).map(([name, { length }]) => [name, Int32Array.from({ length }, (_, index) => features[name]?.[index] ?? 0)]);
        compared.push(wanted.filter(([name, theirs]) => difference(row[name], theirs).differing).map(([name]) => name));
      }
      found.push({
        name,
        places: [Array.from(video.frameIndices), Array.from(frame_indices)],
        rates: [video.fps, fps],
        positions: difference(clip.videoPositionIds, position_ids),
        pixels: { ...difference(clip.pixelValues, pixel_values), size: pixel_values.length },
        compared,
      });
    }
    return found;
  });
  assert.deepEqual(found.map(({ name }) => name), ['gif', 'webp', 'stills', 'many', 'film']);
  for (const { name, places, rates, positions, pixels, compared } of found) {
    context.diagnostic(`${name}: within ${(pixels.largest * 255).toFixed(2)}/255, ${(pixels.mean * 255).toFixed(3)} on average`);
    if (places[1].length) assert.deepEqual(places[0], places[1], name); // of frames without places their rows show what is right
    assert.equal(rates[0], rates[1], name);
    assert.equal(positions.differing, 0, name);
    assert.deepEqual(compared.flat(), [], name);
    assert(name === 'film' ? pixels.mean < FILM_WITHIN : AGREES.pixel_values(pixels), name);
  }
});

testOf("each frame of a video file is the one that Python takes there, not its neighbour's", async () => {
  const nearest = await page.evaluate(async () => {
    const { files, pixel_values } = golden.video.files.find(({ name }) => name === 'film');
    const { pixelValues, softTokens } = await preprocessor.preprocessVideo(await preprocessor.decodeVideo(new Blob(files)));
    const part = (array, frame) => array.subarray((frame * array.length) / softTokens.length, ((frame + 1) * array.length) / softTokens.length);
    return Array.from(softTokens, (_, ours) => {
      const off = Array.from(softTokens, (_, theirs) => difference(part(pixelValues, ours), part(pixel_values, theirs)).mean);
      return off.indexOf(Math.min(...off));
    });
  });
  assert.deepEqual(nearest, nearest.map((_, frame) => frame));
});

testOf('requests with a video are counted', async () => {
  const counted = await page.evaluate(async () => {
    const counted = [];
    for (const { prompt, video } of golden.video.counts) {
      const frameIndices = Array.from({ length: video.frames }, (_, place) => 2 * place);
      for (const source of [{}, { frameIndices, fps: 30 }]) counted.push((await preprocessor.countTokens(prompt, { videos: [{ ...video, ...source }] })).numTokens);
    }
    return counted;
  });
  assert.deepEqual(counted, golden.video.counts.flatMap(({ num_tokens }) => [num_tokens, num_tokens]));
});

testOf('what is wrong with a video is an error that says so', async () => {
  const sentences = await page.evaluate(async () => {
    const refused = (promise) => promise.then(() => 'accepted', (error) => error.message);
    const frame = (width, height) => new ImageData(width, height);
    const [, , rows, columns] = preprocessor.buckets('preprocess_video').at(-1).size;
    const clip = await preprocessor.preprocessVideo({ frames: [frame(64, 48), frame(64, 48)], frameIndices: [3, 1], fps: 24 });
    return {
      pdf: await refused(preprocessor.decodeVideo(new Blob(['%PDF-1.4']))),
      cut: await refused(preprocessor.decodeVideo(new Blob(['GIF89a', new Uint8Array(9)]))),
      none: await refused(preprocessor.decodeVideo([])),
      sizes: await refused(preprocessor.preprocessVideo({ frames: [frame(64, 48), frame(48, 64)] })),
      large: await refused(preprocessor.preprocessVideo({ frames: [frame(columns + 1, rows)] })),
      empty: await refused(preprocessor.preprocessVideo({ frames: [] }).then((clip) => preprocessor.generatePreprocess('<|video|>', { videos: [clip] }))),
      back: await refused(preprocessor.generatePreprocess('<|video|>', { videos: [clip] })),
      several: await refused(preprocessor.generatePreprocess('<|video|><|video|>', { videos: [clip, clip] })),
    };
  });
  assert.match(sentences.pdf, /^`videos`: a video must be an animated GIF .*; got a PDF document, 8 bytes\. Re-encode it/);
  assert.match(sentences.cut, /^`videos`: a video must be an animated GIF .*, 15 bytes\. Re-encode it/);
  assert.match(sentences.none, /^`videos`: a video must have a frame; got no file/);
  assert.match(sentences.sizes, /^`videos`: on a device all frames of a video must have one size/);
  assert.equal(sentences.large, '`videos`: each frame that is taken must be within its array; frame 0 is not. Pass the true size of the frames.');
  assert.match(sentences.empty, /got 1 placeholder\(s\) and 0 video\(s\)/);
  assert.match(sentences.back, /^`frame_indices`: must be one number for each frame of the video, .*; got 1 as number \d\./);
  assert.match(sentences.several, /^`videos`: this bundle has 1 slot\(s\); got 2\. Leave some out/);
});

/** What the tab shows: the sentence, and of each frame its place, time and soft tokens. */
async function shown(sentence) {
  await page.waitForFunction((start) => new RegExp(start).test(document.querySelector('#video-count').textContent), sentence.source);
  return page.$$eval('#frames p', (captions) => captions.map(({ textContent }) => textContent));
}

testOf('the playground shows which frames of an example are taken, when they are shown, and their soft tokens in the row', async () => {
  await page.fill('#typed', 'Look:');
  await page.click('#video-tab');
  await page.click('#clip-example');
  const captions = await shown(/^480 soft tokens of 8 frames, from 12 frames of 192 × 128 pixels$/);
  const { frame_indices, fps } = golden.video.files.find(({ name }) => name === 'gif');
  const { taken } = golden.sampling.find(({ total, settings: { numFrames, parity } }) => total === 12 && numFrames === 8 && parity === settings.parity);
  assert.deepEqual(captions, taken.map((place, index) => `frame ${place} ${clock(Math.floor(frame_indices[index] / fps))} ×60`));
  for (const index of taken.keys()) assert((await colours(page, `#frames li:nth-child(${index + 1}) canvas`)) > 20);
  await page.waitForFunction(() => document.querySelector('#row-tokens').textContent.includes('<|video|> ×60'));
  const row = await page.$eval('#row-tokens', ({ textContent }) => textContent);
  assert.equal(row.split('<|video|> ×60').length - 1, taken.length);
});

testOf('the playground takes frames in the order of their names, and a video file', async () => {
  const names = ['frame10.png', 'frame9.png', 'frame1.png'];
  const stills = names.map((name, place) => ({ name, mimeType: 'image/png', buffer: fileOf('stills', 2 - place) }));
  await page.setInputFiles('#clip', stills);
  assert.equal((await shown(/from 3 frames/)).length, settings.parity === 'transformers' ? 3 : 8);
  await page.setInputFiles('#clip', { name: 'film.webm', mimeType: 'video/webm', buffer: fileOf('film') });
  const captions = await shown(/^480 soft tokens of 8 frames, from 60 frames of 192 × 128 pixels$/);
  assert.match(captions.at(-1), /^frame (59|52) 00:02 ×60$/);
});

testOf('the playground forgets a video when the next file is none', async () => {
  await page.setInputFiles('#clip', { name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') });
  await page.waitForSelector('#video-count.bad');
  assert.match(await page.textContent('#video-count'), /got a PDF document, 8 bytes/);
  assert.equal(await page.$$eval('#frames li', ({ length }) => length), 0);
  await page.waitForFunction(() => !document.querySelector('#row-tokens').textContent.includes('<|video|>'));
  await page.setInputFiles('#clip', path.join(MEDIA, 'video.gif'));
  await shown(/^480 soft tokens/);
});

test('a bundle without videos says how to export one with them', async () => {
  const message = await page.evaluate(async () => {
    const { files } = preprocessor.description;
    const { video } = files;
    delete files.video;
    const refused = await preprocessor.decodeVideo(new Blob()).catch((error) => error.message);
    if (video) files.video = video;
    return refused;
  });
  assert.equal(message, '`videos`: this bundle takes none. Export it with --videos --static video=8x640x640.');
});

test('the browser had nothing to complain about', () => assert.deepEqual(opened.complaints, []));
