// Gemma 4's preprocessor in a browser: the static bundle of `python -m export litert --static ...` on LiteRT.js.
//
//     text ───▶ bytes ───▶ the smallest signature that holds them ───▶ ids
//
// A browser cannot resize a model's inputs, so the bundle has each signature for several sizes (buckets), `tokenize_256` and `tokenize_1024`
// say. Inputs are copied into a buffer of the bucket's size beside their true length; what lies behind it is not looked at.

import { Tensor, getGlobalLiteRtPromise, loadAndCompile, loadLiteRt } from '@litertjs/core';
import { parseResponse, renderChat } from './chat.js';
import { fileType } from './file_types.js';
import { checkRow } from './messages.js';
import { decodeAsItLies, turned } from './orientation.js';
import { composited, pixelsOf } from './pixels.js';
import { idsOf, unbreakable } from './special_tokens.js';
import { decodeFrames, distinct, planned, sampledFrames } from './video.js';
import { readPieces } from './vocabulary.js';

export { pixelsOf };

const SAMPLE_RATE = 16000; // Hz
const FRAME_RULES = { // by the code of what is wrong with a frame as a picture, as `graph_ops/fault_table.py` has them
  3: ['large enough for one soft token when its aspect ratio is kept', 'Crop or pad it.'],
  18: ['within its array', 'Pass the true size of the frames.'],
};
const UNREADABLE = { image: [1, 20], audio: [5, 21] }; // codes of `statuses`: a damaged file, a file of another kind
const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

/**
 * A loaded bundle. Every method that computes is asynchronous and rejects with an `Error` that says what was wrong with the input
 * and what to do, in the words of the Python class.
 */
export class Preprocessor {
  #description;
  #model;
  #unbreakable;

  /**
   * Loads a bundle, and LiteRT.js if the page has not done so.
   *
   * @param {string | URL} url the bundle's folder, relative to the page.
   * @param {object} [options]
   * @param {boolean} [options.pieces] whether to load the vocabulary too, for `tokenize(...).pieces`.
   * @param {string} [options.wasm] folder of LiteRT.js's WebAssembly files; by default the one in its package.
   * @returns {Promise<Preprocessor>}
   */
  static async load(url, { pieces = false, wasm = packagedWasm() } = {}) {
    const folder = new URL(`${url}`.replace(/\/?$/, '/'), document.baseURI);
    const description = JSON.parse(new TextDecoder().decode(await download(new URL('signatures.json', folder))));
    await (getGlobalLiteRtPromise() ?? loadRuntime(wasm));
    const bytes = await download(new URL(description.model, folder));
    const model = await loadAndCompile(bytes, { accelerator: 'wasm' });
    const vocabulary = pieces ? readPieces(await download(new URL('vocabulary.spm', folder))) : undefined;
    return new Preprocessor(description, model, vocabulary);
  }

  /** @private Use `load`. */
  constructor(description, model, pieces) {
    this.#description = description;
    this.#model = model;
    /** @type {string[] | undefined} the piece of each id. */
    this.pieces = pieces;
  }

  /** What `signatures.json` says: inputs and outputs of each signature, sentences of `status`, settings. */
  get description() {
    return this.#description;
  }

  /**
   * The signatures of one kind as `{name, inputs, size}`, smallest first; `size` is the shape of their first input.
   *
   * @param {string} kind such as 'tokenize', 'detokenize_stream' or 'preprocess_image'.
   */
  buckets(kind) {
    const found = Object.entries(this.#description.signatures).filter(([name]) => name.replace(/_\d+((x\d+)+|s)?$/, '') === kind);
    const buckets = found.map(([name, { inputs }]) => ({ name, inputs, size: Object.values(inputs)[0].shape }));
    return buckets.sort((one, other) => volume(one.size) - volume(other.size));
  }

  /**
   * The ids of a text. Lone surrogates become U+FFFD, as everywhere on the web.
   *
   * @param {string} text
   * @returns {Promise<{ids: Int32Array, pieces?: string[]}>}
   */
  async tokenize(text) {
    const bytes = encode(text);
    const { name } = this.#bucket('tokenize', bytes.length);
    const { token_ids, lengths } = await this.run(name, { text: bytes, text_length: [bytes.length] });
    const ids = token_ids.slice(0, lengths[0]);
    return this.pieces ? { ids, pieces: Array.from(ids, (id) => this.pieces[id]) } : { ids };
  }

  /**
   * The text of ids, special tokens included.
   *
   * @param {ArrayLike<number>} ids
   * @returns {Promise<string>}
   */
  async detokenize(ids) {
    const { name } = this.#bucket('detokenize', ids.length);
    return decode(await this.run(name, { token_ids: ids, lengths: [ids.length] }));
  }

  /**
   * The ids of a text, and where each stands in it.
   *
   * @param {string} text
   * @returns {Promise<{ids: Int32Array, byteSpans: number[][], characterSpans: number[][]}>} spans from the first byte of UTF-8, or the first
   *   code point, to the one after the last.
   */
  async tokenizeWithOffsets(text) {
    const bytes = encode(text);
    const { ids } = await this.tokenize(text);
    const { name } = this.#bucket('token_offsets', bytes.length);
    const given = { text: bytes, text_length: [bytes.length], token_ids: ids, lengths: [ids.length] };
    const { byte_spans, character_spans } = await this.run(name, given);
    const pairs = (spans) => Array.from({ length: ids.length }, (_, place) => [spans[2 * place], spans[2 * place + 1]]);
    return { ids, byteSpans: pairs(byte_spans), characterSpans: pairs(character_spans) };
  }

  /**
   * The text of a model's next ids: what all calls gave, one after the other, is `detokenize` of all ids.
   *
   * @param {ArrayLike<number>} ids
   * @param {object} [options]
   * @param {ArrayLike<number>} [options.pending] what the last call gave.
   * @param {boolean} [options.isLast] whether no more ids follow.
   * @returns {Promise<{text: string, pending: Int32Array}>}
   */
  async detokenizeStream(ids, { pending = [0, 0, 0], isLast = false } = {}) {
    const { name } = this.#bucket('detokenize_stream', ids.length);
    const outputs = await this.run(name, { token_ids: ids, lengths: [ids.length], pending, is_last: [Number(isLast)] });
    return { text: decode(outputs), pending: outputs.pending };
  }

  /**
   * How many tokens the row of a prompt takes, from the sizes of its media.
   *
   * @param {string} prompt with one `<|image|>`, `<|audio|>` or `<|video|>` for each medium.
   * @param {object} [sizes]
   * @param {number[][]} [sizes.images] [height, width] of each picture.
   * @param {number[]} [sizes.audio] samples of each clip at 16 kHz.
   * @param {{frames: number, height: number, width: number, frameIndices?: number[], fps?: number}[]} [sizes.videos] how many frames each
   *   has, and what `preprocessVideo` takes.
   * @param {number[]} [sizes.maxSoftTokens] of each picture, as for `preprocessImage`.
   * @returns {Promise<{numTokens: number, fits: boolean}>} a prompt that does not fit rejects nothing.
   */
  async countTokens(prompt, { images = [], audio = [], videos = [], maxSoftTokens = [] } = {}) {
    const { ids } = await this.tokenize(prompt);
    const { name, inputs } = this.#bucket('count_tokens', ids.length);
    const given = { token_ids: ids, lengths: [ids.length], ...budgetsOf(inputs, maxSoftTokens) };
    const plans = videos.map((video) => planned(video, this.videoSettings));
    const videoSizes = videos.map(({ height, width }, place) => [plans[place].wanted.length, height, width]);
    for (const [input, sizes] of [['image_sizes', images], ['audio_lengths', audio], ['video_sizes', videoSizes]]) {
      const slots = checkedSlots(input, inputs, sizes);
      if (slots) given[input] = sizes.flat();
    }
    Object.assign(given, sourcesOf(inputs, plans.map(({ places, fps }) => ({ frameIndices: places, fps }))));
    const outputs = await this.run(name, given, TOO_LONG);
    return { numTokens: outputs.num_tokens[0], fits: outputs.fits[0] === 1 };
  }

  /**
   * What is in an answer, whole or cut; see `parseResponse` of `chat.js`.
   *
   * @param {ArrayLike<number>} ids that the model emitted, the one that ended the answer included.
   * @param {object} [options]
   * @param {boolean} [options.inThought] whether the prompt ended inside a thought.
   * @throws {Error} the bundle was loaded without its vocabulary.
   */
  async parseResponse(ids, { inThought = false } = {}) {
    if (!this.pieces) throw new Error('`pieces`: answers are parted by the names of tokens. Load the bundle with `{ pieces: true }`.');
    const detokenize = (found) => this.detokenize(found);
    return parseResponse(ids, { pieces: this.pieces, detokenize, inThought, leftOut: LEFT_OUT });
  }

  /**
   * An image file as the bundle's settings have it: turned upright as its EXIF orientation says, or as it lies in the file. Colours and
   * alpha are those of the file.
   *
   * @param {Blob} file
   * @returns {Promise<ImageBitmap>} for `preprocessImage`.
   * @throws {Error} the browser cannot decode it: names what it is.
   */
  async decodeImage(file) {
    const options = { colorSpaceConversion: 'none', premultiplyAlpha: 'none' };
    const { bitmap, orientation } = await decodeAsItLies(file, options).catch(() => this.#refuse(file, 'image'));
    return this.#filesOf('image').apply_exif_orientation ? turned(bitmap, orientation) : bitmap;
  }

  /**
   * A sound file as mono samples at 16 kHz, for `preprocessAudio`.
   *
   * @param {Blob} file
   * @returns {Promise<Float32Array>}
   * @throws {Error} the browser cannot decode it: names what it is.
   */
  async decodeAudio(file) {
    return decodeAudio(await file.arrayBuffer()).catch(() => this.#refuse(file, 'audio'));
  }

  /**
   * Patches of a picture.
   *
   * @param {ImageData | CanvasImageSource} picture `ImageData` is taken to the bit; anything else, such as what `decodeImage` returns, is
   *   drawn to a canvas first, which keeps the colours of transparent pixels only as far as alpha shows them. What is transparent is
   *   composited over the bundle's colour, or its alpha is left out, as the bundle's settings say.
   * @param {object} [options]
   * @param {number} [options.maxSoftTokens] a smaller budget for this picture, 70, 140, 280, 560 or 1120, for bundles that were exported
   *   with `--max-soft-tokens-input`; 0 for the bundle's own.
   * @returns {Promise<{pixelValues: Float32Array, pixelPositionIds: Int32Array, softTokens: number}>} [2520, 768] in 0…1; [2520, 2] as (x, y),
   *   -1 for padding; what `generatePreprocess` wants to know.
   */
  async preprocessImage(picture, { maxSoftTokens = 0 } = {}) {
    const { data, width, height } = picture instanceof ImageData ? picture : pixelsOf(picture);
    const { name, inputs, size } = this.#bucket('preprocess_image', height, width);
    const images = composited(data, width, height, size, this.#filesOf('image').background_color);
    const outputs = await this.run(name, { images, image_sizes: [height, width], ...budgetsOf(inputs, [maxSoftTokens]) });
    return { pixelValues: outputs.pixel_values, pixelPositionIds: outputs.pixel_position_ids, softTokens: outputs.soft_tokens[0] };
  }

  /**
   * The log-mel spectrogram of a clip.
   *
   * @param {Float32Array} samples mono at 16 kHz, in -1…1.
   * @returns {Promise<{audioMel: Float32Array, audioMelMask: Int32Array, softTokens: number}>} [3000, 128]; [3000], 1 on valid frames; what
   *   `generatePreprocess` wants to know.
   */
  async preprocessAudio(samples) {
    const { name } = this.#bucket('preprocess_audio', samples.length);
    const outputs = await this.run(name, { audio: samples, audio_lengths: [samples.length] });
    return { audioMel: outputs.audio_mel, audioMelMask: outputs.audio_mel_mask, softTokens: outputs.soft_tokens[0] };
  }

  /** How many frames the bundle takes of a video, and how the parity that it was exported with chooses them. */
  get videoSettings() {
    const numFrames = this.#description.files?.video?.num_frames;
    if (!numFrames) throw new Error('`videos`: this bundle takes none. Export it with --videos --static video=8x640x640.');
    return { numFrames, parity: this.#settings.parity };
  }

  /**
   * The frames that the bundle takes of a video, for `preprocessVideo`.
   *
   * @param {Blob | Blob[]} files an animated GIF, WebP or PNG; a video file that the browser plays; or an image file for each frame.
   * @param {object} [options]
   * @param {number} [options.rate] frames a second at which a video file is counted, since browsers do not tell its own; by default the
   *   bundle's `video_fps`. An animation says when its frames are shown.
   * @returns {Promise<{frames: ImageBitmap[], frameIndices: number[], fps: number, taken: number[], total: number}>} the frames that are
   *   taken, each once; their places in the source, in units of `fps`, or none where they are not known; which of the `total` they are.
   * @throws {Error} the browser reads no video there: names what it is.
   */
  async decodeVideo(files, { rate = this.#settings.video_fps } = {}) {
    const given = [files].flat();
    const take = (total) => distinct(sampledFrames(total, this.videoSettings));
    const { numFrames } = this.videoSettings;
    if (!given.length) throw new Error('`videos`: a video must have a frame; got no file. Pass one.');
    const found = await decodeFrames(given, { take, rate, decodeImage: (file) => this.decodeImage(file) }).catch((error) => {
      if (error.message.startsWith('`')) throw error;
      return this.#refuse(given[0], 'video');
    });
    // Of more frames than are taken the row must know which these are, in the parity that says their times by it.
    const isCut = found.total > numFrames && !found.frameIndices.length && this.videoSettings.parity === 'transformers';
    return isCut ? { ...found, frameIndices: found.taken } : found;
  }

  /**
   * Patches of the frames that are taken of a video.
   *
   * @param {object} video what `decodeVideo` returns, or
   * @param {(ImageData | CanvasImageSource)[]} video.frames of one size, as for `preprocessImage`.
   * @param {number[]} [video.frameIndices] the place of each in its source; left out where they are not known.
   * @param {number} [video.fps] frames a second of the source; 0 where that is not known.
   * @returns {Promise<{pixelValues: Float32Array, videoPositionIds: Int32Array, softTokens: Int32Array, frameIndices: Int32Array, fps: number}>}
   *   [F, 630, 768] in 0…1 and [F, 630, 2] for the F frames that are taken; soft tokens of each, 0 for none; all of it what
   *   `generatePreprocess` wants to know.
   */
  async preprocessVideo({ frames, frameIndices = [], fps = 0 }) {
    const plan = planned({ frames: frames.length, frameIndices, fps }, this.videoSettings);
    const pictures = plan.wanted.map((frame) => (frames[frame] instanceof ImageData ? frames[frame] : pixelsOf(frames[frame])));
    const [{ width, height }] = pictures.length ? pictures : [{ width: 0, height: 0 }];
    if (pictures.some((picture) => picture.width !== width || picture.height !== height)) {
      throw new Error('`videos`: on a device all frames of a video must have one size; got several. Resize them.');
    }
    const { name, size: [, most, ...sides] } = this.#bucket('preprocess_video', pictures.length, height, width);
    const videos = new Uint8Array(most * volume(sides));
    const background = this.#filesOf('video').background_color;
    pictures.forEach(({ data }, place) => place < most && videos.set(composited(data, width, height, [1, ...sides], background), place * volume(sides)));
    const outputs = await this.run(name, { videos, video_sizes: [pictures.length, height, width] });
    const { pixel_values_videos: pixelValues, video_position_ids: videoPositionIds, soft_tokens: softTokens } = outputs;
    return { pixelValues, videoPositionIds, softTokens, frameIndices: plan.ofFrames, fps };
  }

  /**
   * A model's row of a prompt with media that were preprocessed before.
   *
   * @param {string} prompt with one `<|image|>`, `<|audio|>` or `<|video|>` for each medium.
   * @param {object} [counts]
   * @param {number[]} [counts.images] `softTokens` of each picture.
   * @param {number[]} [counts.audio] `softTokens` of each clip.
   * @param {{softTokens: ArrayLike<number>, frameIndices: ArrayLike<number>, fps: number}[]} [counts.videos] what `preprocessVideo` gave.
   * @param {number[]} [counts.maxSoftTokens] what each picture was preprocessed with.
   * @returns {Promise<Object<string, Int32Array>>} by the names of the signature's outputs: `token_ids`, `padding_mask`, ...
   */
  async generatePreprocess(prompt, { images = [], audio = [], videos = [], maxSoftTokens = [] } = {}) {
    const bytes = encode(prompt);
    const { name, inputs } = this.#bucket('generate_preprocess_counts', bytes.length);
    const given = { prompts: bytes, prompts_length: [bytes.length], ...budgetsOf(inputs, maxSoftTokens) };
    for (const [input, counts] of [['image_soft_tokens', images], ['audio_soft_tokens', audio]]) {
      if (checkedSlots(input, inputs, counts)) given[input] = counts;
    }
    Object.assign(given, sourcesOf(inputs, videos));
    if (inputs.video_soft_tokens) given.video_soft_tokens = videos.flatMap(({ softTokens }) => Array.from(softTokens));
    const { status, status_detail, ...row } = await this.run(name, given);
    return row;
  }

  /**
   * The ids of a dialogue, with one placeholder for each medium. Special tokens that messages spell are ordinary characters, unless the
   * bundle was exported with `--allow-special-tokens-in-chat`.
   *
   * @param {object[]} messages
   * @param {object} [options] those of `renderChat` of `chat.js`; its `variant` is the bundle's by default.
   * @returns {Promise<{ids: Int32Array, pieces: string[], text: string, typed: string[], media: object[]}>} with what `renderChat` gives.
   * @throws {Error} the bundle was loaded without its vocabulary.
   */
  async tokenizeChat(messages, options) {
    if (!this.pieces) throw new Error('`pieces`: chat needs the ids of special tokens. Load the bundle with `{ pieces: true }`.');
    this.#unbreakable ??= unbreakable(this.pieces);
    checkRow(messages);
    const { parts, ...rendered } = renderChat(messages, this.#chatOptions(options));
    if (rendered.typed.length && this.#unbreakable.length && !this.#chatOptions(options).allowSpecialTokens) {
      throw new Error(`\`messages\`: with this vocabulary no special token may be spelled; got ${rendered.typed[0]}. Take it out.`);
    }
    const tokenize = async (text) => (await this.tokenize(text)).ids;
    const ids = Int32Array.from(await idsOf(parts, { pieces: this.pieces, tokenize }));
    return { ids, pieces: Array.from(ids, (id) => this.pieces[id]), ...rendered };
  }

  /**
   * The row of a dialogue; arguments as for `tokenizeChat` and `generatePreprocess`.
   *
   * @throws {Error} a message spells a special token, which the signature would read as one; or the signature reads none.
   */
  async generatePreprocessChat(messages, { images, audio, videos, maxSoftTokens, ...options } = {}) {
    if (this.#settings.allow_special_tokens === 'none') {
      throw new Error('`allow_special_tokens`: chat needs a signature that reads special tokens; got none. Export with --allow-special-tokens prompts.');
    }
    checkRow(messages);
    const { text, typed } = renderChat(messages, this.#chatOptions(options));
    if (typed.length && !this.#chatOptions(options).allowSpecialTokens) {
      throw new Error(`\`messages\`: must spell no special token, which this signature reads as one; got ${typed[0]}. Take it out, or use \`tokenizeChat\`.`);
    }
    return this.generatePreprocess(text.slice('<bos>'.length), { images, audio, videos, maxSoftTokens });
  }

  /**
   * The text that a model generated, special tokens left out.
   *
   * @param {ArrayLike<number>} tokenIds a whole row.
   * @param {ArrayLike<number>} paddingMask 1 on what is read.
   * @returns {Promise<string>}
   */
  async generatePostprocess(tokenIds, paddingMask) {
    return decode(await this.run('generate_postprocess', { token_ids: tokenIds, padding_mask: paddingMask }));
  }

  /**
   * Runs a signature as it is.
   *
   * @param {string} signature
   * @param {Object<string, ArrayLike<number>>} inputs by name; one that is too short is filled up with 0, one that is too long is cut.
   * @param {number[]} [accepted] codes of `statuses` that are no error.
   * @returns {Promise<Object<string, Float32Array | Int32Array | Uint8Array>>} all outputs by name.
   */
  async run(signature, inputs, accepted = []) {
    const tensors = {};
    for (const [name, { dtype, shape }] of Object.entries(this.#description.signatures[signature].inputs)) {
      tensors[name] = new Tensor(filled(inputs[name], ARRAYS[dtype], volume(shape)), shape);
    }
    let outputs = {};
    try {
      outputs = await this.#model.run(signature, tensors);
      const arrays = Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tensor.toTypedArray()]));
      if (!accepted.includes(arrays.status[0])) this.#check(arrays);
      return arrays;
    } finally {
      // LiteRT.js's memory is not collected.
      for (const tensor of [...Object.values(tensors), ...Object.values(outputs)]) tensor.delete();
    }
  }

  /** Frees the model's memory. */
  delete() {
    this.#model.delete();
  }

  /** Throws the sentence of a file that cannot be decoded as a medium. */
  async #refuse(file, medium) {
    const type = fileType(new Uint8Array(await file.arrayBuffer()), this.#description.file_types ?? []);
    if (medium === 'video') {
      const what = !type || type.medium === medium ? 'a file of another kind' : type.name;
      throw new Error(`\`videos\`: a video must be an animated GIF or WebP, image files, or a file that this browser plays; got ${what}, ${file.size} bytes. Re-encode it, for example as WebM.`);
    }
    const [damaged, other] = UNREADABLE[medium];
    if (!type || type.medium === medium) throw new Error(this.#description.statuses[damaged].replace('{0}', file.size));
    const words = { '{0:file_type}': type.name, '{0:remedy}': type.remedy, '{1}': file.size };
    throw new Error(this.#description.statuses[other].replace(/\{\d(:\w+)?\}/g, (field) => words[field]));
  }

  /** How files become pixels; a bundle that does not say it is read as Python reads files by default. */
  #filesOf(medium) {
    return this.#description.files?.[medium] ?? { apply_exif_orientation: true, background_color: null };
  }

  /** Settings of the preprocessor that was exported. */
  get #settings() {
    return this.#description.preprocessor ?? {};
  }

  /** Options of `renderChat`, by default the bundle's. */
  #chatOptions(options) {
    return { variant: this.#settings.chat_variant, allowSpecialTokens: this.#settings.allow_special_tokens_in_chat, ...options };
  }

  #check({ status: [code], status_detail }) {
    const [rule, remedy] = FRAME_RULES[status_detail[0]] ?? [];
    const words = { '{0:frame_rule}': rule, '{0:frame_remedy}': remedy };
    if (code) throw new Error(this.#description.statuses[code].replace(/\{(\d)(:\w+)?\}/g, (field, index) => words[field] ?? status_detail[index]));
  }

  /**
   * The smallest bucket with room for sizes along the first axes but the batch's; the largest if none has, so that the graph itself says
   * what is wrong.
   */
  #bucket(kind, ...sizes) {
    const buckets = this.buckets(kind);
    if (!buckets.length) throw new Error(`\`${kind}\`: this bundle has no such signature. Export it with --static ${OPTION[kind]}.`);
    const holds = ({ size }) => sizes.every((wanted, axis) => wanted <= (size.length > 1 ? size[axis + 1] : size[axis]));
    return buckets.find(holds) ?? buckets.at(-1);
  }
}

const TOO_LONG = [11, 30, 37]; // codes of `statuses`: media, or text, that do not fit into the row
/** Pieces that `generatePostprocess` leaves out too: KerasHub's. */
const LEFT_OUT = ['<bos>', '<eos>', '<pad>', '<|image|>', '<image|>', '<|audio>', '<|audio|>', '<audio|>', '<|video|>'];
const OPTION = {
  tokenize: 'text=256,1024',
  token_offsets: 'text=256,1024',
  detokenize: 'text=256,1024',
  detokenize_stream: 'text=256,1024',
  count_tokens: 'text=256,1024',
  generate_preprocess_counts: 'text=256,1024',
  preprocess_image: 'image=768x768',
  preprocess_audio: 'audio=10',
  preprocess_video: 'video=8x640x640',
};

/**
 * Samples of an audio file as `preprocessAudio` wants them, decoded, mixed down and resampled by the browser.
 *
 * @param {ArrayBuffer} file
 * @returns {Promise<Float32Array>}
 */
export async function decodeAudio(file) {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  const decoded = await context.decodeAudioData(file);
  const channels = Array.from({ length: decoded.numberOfChannels }, (_, channel) => decoded.getChannelData(channel));
  return channels[0].map((_, index) => channels.reduce((sum, channel) => sum + channel[index], 0) / channels.length);
}

/** How many slots a signature has for a medium's items. Throws if these are more. */
function checkedSlots(input, inputs, items) {
  const slots = inputs[input]?.shape[1] ?? 0;
  if (items.length > slots) {
    throw new Error(`\`${input}\`: this bundle has ${slots} slot(s); got ${items.length}. Leave some out, or export with more slots.`);
  }
  return slots;
}

/** The inputs with what is said of the sources of videos, for signatures that have them. Throws if there are more videos than slots. */
function sourcesOf(inputs, videos) {
  const slots = checkedSlots('videos', { videos: inputs.frame_indices }, videos);
  if (!slots) return {};
  const most = inputs.frame_indices.shape[2];
  const indices = new Int32Array(slots * most).fill(-1);
  videos.forEach(({ frameIndices }, slot) => indices.set(frameIndices, slot * most));
  return { frame_indices: indices, fps: videos.map(({ fps }) => fps) };
}

/** The input with budgets of pictures, for signatures that have it. Throws if there are some and it has not. */
function budgetsOf(inputs, budgets) {
  if (!inputs.max_soft_tokens) {
    const chosen = budgets.find(Boolean);
    if (chosen) throw new Error(`\`max_soft_tokens\`: this bundle takes none; got ${chosen}. Leave it out, or export with --max-soft-tokens-input.`);
    return {};
  }
  checkedSlots('max_soft_tokens', { max_soft_tokens: { shape: [1, inputs.max_soft_tokens.shape.at(-1)] } }, budgets);
  return { max_soft_tokens: budgets };
}

const encode = (text) => new TextEncoder().encode(text);
const decode = ({ text, text_length }) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(text.subarray(0, text_length[0]));
const volume = (shape) => shape.reduce((product, size) => product * size, 1);
const packagedWasm = () => new URL('../wasm/', import.meta.resolve('@litertjs/core')).href;

/** LiteRT.js logs to stderr whatever it does, which browsers show as errors: what it calls information or a warning is shown as that. */
function loadRuntime(wasm) {
  const show = { INFO: console.debug, WARNING: console.warn };
  self.Module ??= { printErr: (line) => (show[/^[A-Z]+/.exec(line)?.[0]] ?? console.error)(line) };
  return loadLiteRt(wasm);
}

async function download(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`\`url\`: must be the folder of a bundle; got ${response.status} for ${url}. Serve the whole folder.`);
  return new Uint8Array(await response.arrayBuffer());
}

function filled(values, ArrayType, size) {
  const array = new ArrayType(size);
  array.set(values.length > size ? Array.prototype.slice.call(values, 0, size) : values);
  return array;
}
