// The playground: what is typed or dropped, as the model's preprocessor makes it. Each tab is there if the bundle has its signatures.

import { drawPatches, drawSpectrogram } from './drawing.js';
import { Preprocessor, pixelsOf } from './preprocessor.js';
import { makeTabs } from './tabs.js';
import { clock, sampledFrames, shownAt } from './video.js';

const find = (id) => document.getElementById(id);
const EXAMPLE = 'What is in this picture? 👩‍🚀 日本語';
const EXAMPLE_DIALOGUE = 'system: Be brief.\nuser: Who are you? <turn|>\nassistant: A model.\nuser: Which?';
const PLACEHOLDERS = { image: '<|image|>', audio: '<|audio|>', video: '<|video|>' };

const BUDGETS = [70, 140, 280, 560, 1120]; // soft tokens that a picture may have
const SAMPLE_RATE = 16000; // Hz

const counts = { image: [], audio: [], video: [] }; // soft tokens of what was dropped; of a video all that `preprocessVideo` gives
let budgets = []; // what the picture was preprocessed with, where the bundle lets one choose
let picture; // its file
let preprocessor;

/** Runs `action` and writes the sentence that it returns, or rejects with, under the section. */
async function told(section, action) {
  const line = find(`${section}-count`);
  line.textContent = '…';
  const [sentence, bad] = await action().then((sentence) => [sentence, false], (error) => [error.message, true]);
  line.textContent = sentence;
  line.classList.toggle('bad', bad);
}

/** Only the latest of several calls goes on, after the one that is running. */
function latest(action) {
  let running = Promise.resolve();
  let newest = 0;
  return () => {
    const turn = ++newest;
    running = running.then(() => turn === newest && action());
    return running;
  };
}

function showTokens(list, tokens) {
  list.replaceChildren(...tokens.map(({ id, piece, times }) => {
    const item = document.createElement('li');
    item.style.setProperty('--hue', (id * 137.5) % 360);
    const number = document.createElement('small');
    number.textContent = id;
    item.append(`${piece.replaceAll('\n', '⏎')}${times > 1 ? ` ×${times}` : ''}`, number);
    return item;
  }));
}

/** Ids as `{id, piece, times}`, with runs of the same id in one. */
function runs(ids) {
  const found = [];
  for (const id of ids) {
    if (found.at(-1)?.id === id) found.at(-1).times++;
    else found.push({ id, piece: preprocessor.pieces[id], times: 1 });
  }
  return found;
}

const plural = (count, noun) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

const showText = latest(() => told('text', async () => {
  find('tokens').replaceChildren();
  const { ids, pieces } = await preprocessor.tokenize(find('typed').value);
  showTokens(find('tokens'), pieces.map((piece, index) => ({ id: ids[index], piece, times: 1 })));
  return plural(ids.length, 'token');
}));

/** Messages of lines such as `user: Hi`; one that names no role goes on with the message before it. */
function messagesOf(typed) {
  const messages = [];
  for (const line of typed.split('\n')) {
    const [, role, content] = /^(system|developer|user|assistant|tool): ?(.*)$/.exec(line) ?? [];
    if (role) messages.push({ role, content });
    else if (messages.length) messages.at(-1).content += `\n${line}`;
    else messages.push({ role: 'user', content: line });
  }
  return messages;
}

const showChat = latest(() => told('chat', async () => {
  find('chat-tokens').replaceChildren();
  const options = { enableThinking: find('thinking').checked };
  const { ids, pieces, typed } = await preprocessor.tokenizeChat(messagesOf(find('dialogue').value), options);
  showTokens(find('chat-tokens'), pieces.map((piece, index) => ({ id: ids[index], piece, times: 1 })));
  const broken = typed.length ? `; ${plural(typed.length, 'special token')} that messages spell as characters` : '';
  return `${plural(ids.length, 'token')}${broken}`;
}));

const showRow = latest(() => told('row', async () => {
  find('row-tokens').replaceChildren();
  const media = Object.keys(counts).filter((medium) => counts[medium].length);
  const missing = media.map((medium) => PLACEHOLDERS[medium]).filter((placeholder) => !find('typed').value.includes(placeholder));
  const prompt = [find('typed').value, ...missing].join(' ');
  const row = await preprocessor.generatePreprocess(prompt, { images: counts.image, audio: counts.audio, videos: counts.video, maxSoftTokens: budgets });
  const ids = row.token_ids.filter((_, index) => row.padding_mask[index]);
  showTokens(find('row-tokens'), runs(ids));
  return `${ids.length} of ${plural(row.token_ids.length, 'position')}`;
}));

/** A picture's pixels, and in words whether they had to be shrunk for the largest bucket of a kind. */
function fitted(bitmap, kind) {
  const [rows, columns] = preprocessor.buckets(kind).at(-1).size.slice(-3);
  const scale = Math.min(1, rows / bitmap.height, columns / bitmap.width);
  const note = scale < 1 ? `; shrunk by your browser to fit this bundle's ${columns} × ${rows}` : '';
  return [pixelsOf(bitmap, scale), note];
}

/** Budgets that the bundle lets one choose: its own, and what is smaller. */
function offerBudgets() {
  if (!preprocessor.buckets('preprocess_image').at(-1)?.inputs.max_soft_tokens) return;
  const own = preprocessor.description.preprocessor.image_converter.config.max_soft_tokens;
  const offered = BUDGETS.filter((budget) => budget <= own);
  find('budget').replaceChildren(...offered.map((budget) => new Option(budget, budget, false, budget === own)));
  find('budget').addEventListener('change', () => picture && showPicture(picture).then(showRow));
  find('budget-choice').hidden = false;
}

const showPicture = (file) => told('image', async () => {
  picture = file;
  counts.image = budgets = [];
  find('patches').hidden = true;
  const [pixels, note] = fitted(await preprocessor.decodeImage(file), 'preprocess_image');
  const { pixelValues, pixelPositionIds, softTokens } = await preprocessor.preprocessImage(pixels, { maxSoftTokens: Number(find('budget').value) });
  const [columns, rows] = drawPatches(find('patches'), pixelValues, pixelPositionIds);
  find('patches').hidden = false;
  counts.image = [softTokens];
  if (!find('budget-choice').hidden) budgets = [Number(find('budget').value)];
  const { parity, image_converter: { config } } = preprocessor.description.preprocessor;
  const held = parity === 'keras_hub' ? budgets[0] || config.max_soft_tokens : softTokens;
  const padded = held === softTokens ? '' : `; in parity ${parity} the row has ${held} for it`;
  return `${plural(softTokens, 'soft token')} of ${columns} × ${rows} patches, from ${pixels.width} × ${pixels.height} pixels${note}${padded}`;
});

const showSound = (file) => told('audio', async () => {
  counts.audio = [];
  find('mel').hidden = true;
  const samples = await preprocessor.decodeAudio(file);
  const most = preprocessor.buckets('preprocess_audio').at(-1).size.at(-1);
  if (samples.length > most) throw new Error(`This page takes ${most / SAMPLE_RATE} s of sound; this is ${(samples.length / SAMPLE_RATE).toFixed(1)} s.`);
  const { audioMel, audioMelMask, softTokens } = await preprocessor.preprocessAudio(samples);
  const frames = audioMelMask.reduce((sum, valid) => sum + valid, 0);
  drawSpectrogram(find('mel'), audioMel, frames);
  find('mel').hidden = false;
  counts.audio = [softTokens];
  return `${plural(softTokens, 'soft token')} of ${plural(frames, 'frame')}`;
});

/** A frame that is taken, drawn as the model receives it, beneath its place and its time. */
function drawnFrame(clip, index, place, seconds) {
  const canvas = document.createElement('canvas');
  const [numbers, patches] = [clip.pixelValues.length, clip.videoPositionIds.length].map((length) => length / clip.softTokens.length);
  const part = (array, size) => array.subarray(index * size, (index + 1) * size);
  drawPatches(canvas, part(clip.pixelValues, numbers), part(clip.videoPositionIds, patches));
  canvas.role = 'img';
  canvas.ariaLabel = `Frame ${place} as patches, with a line around each soft token`;
  const item = document.createElement('li');
  const caption = document.createElement('p');
  const time = Object.assign(document.createElement('time'), { textContent: clock(seconds) });
  caption.append(`frame ${place} `, time, ` ×${clip.softTokens[index]}`);
  item.append(caption, canvas);
  return item;
}

/** Files in the order of their names, numbers by their size. */
const inOrder = (files) => [...files].sort((one, other) => (one.name ?? '').localeCompare(other.name ?? '', 'en', { numeric: true }));

const showVideo = (files) => told('video', async () => {
  counts.video = [];
  find('frames').replaceChildren();
  const { frames, total, ...source } = await preprocessor.decodeVideo(inOrder(files));
  const pictures = frames.map((frame) => fitted(frame, 'preprocess_video'));
  const clip = await preprocessor.preprocessVideo({ ...source, frames: pictures.map(([pixels]) => pixels) });
  const { numFrames, parity } = preprocessor.videoSettings;
  const shown = sampledFrames(total, { numFrames, parity }).filter((place) => place >= 0);
  const times = shownAt(clip, preprocessor.description.preprocessor.video_fps);
  find('frames').replaceChildren(...shown.map((place, index) => drawnFrame(clip, index, place, times[index])));
  counts.video = [clip];
  const softTokens = clip.softTokens.reduce((sum, count) => sum + count, 0);
  const { width, height } = pictures[0][0];
  return `${plural(softTokens, 'soft token')} of ${shown.length} frames, from ${plural(total, 'frame')} of ${width} × ${height} pixels${pictures[0][1]}`;
});

/** Files come from the input, from a drop on its label, or from the button with an example. */
function onFile(id, example, show) {
  const input = find(id);
  const label = input.closest('label');
  const take = (files) => files.length && show(input.multiple ? files : files[0]).then(showRow);
  input.addEventListener('change', () => take(input.files));
  find(`${id}-example`).addEventListener('click', async () => take([await (await fetch(`examples/${example}`)).blob()]));
  for (const type of ['dragover', 'dragleave', 'drop']) {
    label.addEventListener(type, (event) => {
      event.preventDefault();
      label.classList.toggle('over', type === 'dragover');
      if (type === 'drop') take(event.dataTransfer.files);
    });
  }
}

async function start() {
  preprocessor = await Preprocessor.load('bundle', { pieces: true });
  const tabs = { text: 'tokenize', chat: 'tokenize', image: 'preprocess_image', audio: 'preprocess_audio', video: 'preprocess_video' };
  for (const [tab, kind] of Object.entries(tabs)) find(`${tab}-tab`).hidden = !preprocessor.buckets(kind).length;
  find('row').hidden = !preprocessor.buckets('generate_preprocess_counts').length;
  makeTabs(find('tabs'));
  find('main').hidden = false;
  find('typed').value = EXAMPLE;
  find('typed').addEventListener('input', () => showText().then(showRow));
  find('dialogue').value = EXAMPLE_DIALOGUE;
  for (const id of ['dialogue', 'thinking']) find(id).addEventListener('input', showChat);
  offerBudgets();
  onFile('picture', 'photo.jpg', showPicture);
  onFile('sound', 'speech.wav', showSound);
  onFile('clip', 'video.gif', showVideo);
  await showText().then(showRow).then(showChat);
}

start().then(() => find('loading').remove(), (error) => {
  find('loading').textContent = error.message;
  console.error(error);
});
