// Videos in a browser: the frames that the bundle takes of an animation, of image files or of what `<video>` plays, and when each is shown.

const ANIMATIONS = [['image/gif', /^GIF8/], ['image/webp', /^RIFF.{4}WEBP/s], ['image/png', /^\x89PNG/]];
const STILL = /^(\xff\xd8\xff|BM)/; // JPEG and BMP
const MILLISECONDS = 1000; // places a second of an animation, as `graph_ops/video/host_files.py` has them
const ENDLESS = 1e7; // seconds; where a file does not say how long it is, a seek beyond its end finds out

/**
 * Which frames of a video are taken, as `graph_ops/video/sampling.py` has it; -1 for none.
 *
 * @param {number} total frames that the video has.
 * @param {{numFrames: number, parity: string}} settings
 * @returns {number[]} `numFrames` of them.
 */
export function sampledFrames(total, { numFrames, parity }) {
  const steps = Array.from({ length: numFrames }, (_, step) => step);
  if (total < 1) return steps.map(() => -1);
  if (parity === 'transformers') return steps.map((step) => (total < numFrames ? (step < total ? step : -1) : Math.floor((step * total) / numFrames)));
  const distance = Math.fround(Math.fround(total - 1) / Math.max(numFrames - 1, 1)); // as float32 reckons it
  return steps.map((step) => (step > 0 && step === numFrames - 1 ? total - 1 : Math.trunc(Math.fround(distance * step))));
}

/** The frames that are taken, each once. */
export const distinct = (taken) => [...new Set(taken)].filter((frame) => frame >= 0);

/**
 * The second at which each frame is shown, as the row says it; undefined for no frame.
 *
 * @param {{softTokens: Int32Array, frameIndices: Int32Array, fps: number}} clip what `preprocessVideo` gives.
 * @param {number} defaultRate frames a second of a video that does not say.
 */
export function shownAt({ softTokens, frameIndices, fps }, defaultRate) {
  const rate = Math.fround(fps > 0 ? fps : defaultRate);
  const places = Array.from(frameIndices, (place, frame) => (frameIndices[0] < 0 ? frame : place));
  return places.map((place, frame) => (softTokens[frame] ? Math.floor(Math.fround(place / rate)) : undefined));
}

/** Seconds as the row writes them, `01:07`. */
export const clock = (seconds) => [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, '0')).join(':');

/**
 * The frames that are taken of a video's file or files.
 *
 * @param {Blob[]} files one animation or video, or an image for each frame.
 * @param {object} how
 * @param {(total: number) => number[]} how.take which frames of so many.
 * @param {number} how.rate frames a second at which a video file is counted, since browsers do not tell its own.
 * @param {(file: Blob) => Promise<ImageBitmap>} how.decodeImage
 * @returns {Promise<{frames: ImageBitmap[], frameIndices: number[], fps: number, taken: number[], total: number}>} the frames that are
 *   taken, each once, and their places in the source, in units of `fps`, or none; which of the `total` they are.
 */
export async function decodeFrames(files, { take, rate, decodeImage }) {
  if (files.length !== 1) return stills(files, take, decodeImage);
  const head = String.fromCharCode(...new Uint8Array(await files[0].slice(0, 12).arrayBuffer()));
  if (STILL.test(head)) return stills(files, take, decodeImage);
  const [type] = ANIMATIONS.find(([, mark]) => mark.test(head)) ?? [];
  return type ? animation(files[0], type, { take, decodeImage }) : film(files[0], { take, rate });
}

async function stills(files, take, decodeImage) {
  const taken = take(files.length);
  const frames = [];
  for (const place of taken) frames.push(await decodeImage(files[place]));
  return { frames, frameIndices: [], fps: 0, taken, total: files.length };
}

async function animation(file, type, { take, decodeImage }) {
  if (!globalThis.ImageDecoder) throw new Error('`videos`: this browser has no `ImageDecoder`, with which animations are read. Pass their frames as files, or use another browser.');
  const decoder = new ImageDecoder({ data: await file.arrayBuffer(), type, colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  try {
    await Promise.all([decoder.tracks.ready, decoder.completed]);
    const total = decoder.tracks.selectedTrack.frameCount;
    if (total < 2) return await stills([file], take, decodeImage);
    const taken = take(total);
    const [frames, frameIndices] = [[], []];
    for (const frameIndex of taken) {
      const { image } = await decoder.decode({ frameIndex });
      frames.push(await createImageBitmap(image, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' }));
      frameIndices.push(Math.floor((image.timestamp * MILLISECONDS) / 1e6));
      image.close();
    }
    return { frames, frameIndices, fps: MILLISECONDS, taken, total };
  } finally {
    decoder.close();
  }
}

/** Frames of a file that the browser plays, each from the middle of the time for which it is shown. */
async function film(file, { take, rate }) {
  const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true, preload: 'auto', src: URL.createObjectURL(file) });
  try {
    await happens(video, 'loadeddata');
    if (!video.videoWidth) throw new Error('no picture');
    if (!Number.isFinite(video.duration)) await seek(video, ENDLESS);
    const total = Math.max(1, Math.round(video.duration * rate));
    const taken = take(total);
    const frames = [];
    for (const place of taken) {
      await seek(video, Math.min((place + 0.5) / rate, video.duration));
      frames.push(await createImageBitmap(video));
    }
    return { frames, frameIndices: taken, fps: rate, taken, total };
  } finally {
    URL.revokeObjectURL(video.src);
    video.removeAttribute('src');
    video.load();
  }
}

async function seek(video, seconds) {
  const done = happens(video, 'seeked');
  video.currentTime = seconds;
  await done;
}

function happens(video, event) {
  return new Promise((resolve, reject) => {
    video.addEventListener(event, resolve, { once: true });
    video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true });
  });
}

/**
 * The frames of a video that a bundle takes, with what is said of their source.
 *
 * @param {{frames: number, frameIndices?: ArrayLike<number>, fps?: number}} video how many frames are given, and their places in the source.
 * @param {{numFrames: number, parity: string}} settings
 * @returns {{wanted: number[], places: number[], ofFrames: Int32Array, fps: number}} `wanted`: the frames that are taken, each once, and
 *   their `places`; `ofFrames`: the places of all `numFrames`, some of which may be the same; -1 throughout where they are not known.
 */
export function planned({ frames, frameIndices = [], fps = 0 }, settings) {
  if (frameIndices.length && frameIndices.length !== frames) {
    throw new Error(`\`frameIndices\`: must be one number for each frame of the video; got ${frameIndices.length} for ${frames}. Pass the places that the frames had in their source.`);
  }
  const taken = sampledFrames(frames, settings);
  const wanted = distinct(taken);
  // Where nothing is said, the given frames are the source in this parity, and the taken ones are in the other.
  const known = frameIndices.length ? frameIndices : settings.parity === 'transformers' ? Array.from({ length: frames }, (_, place) => place) : [];
  const placeOf = (frame) => (frame < 0 || !known.length ? -1 : known[frame]);
  return { wanted, places: wanted.map(placeOf), ofFrames: Int32Array.from(taken, placeOf), fps };
}
