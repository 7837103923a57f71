// How an image file says that it is to be turned: the EXIF block of a JPEG, PNG or WebP. Browsers turn JPEG and PNG whatever they are asked,
// and WebP not at all, so the block is read here and kept from them.

const TAG = 0x0112; // Orientation, TIFF 6.0
const NUMBERS = { 3: 'getUint16', 4: 'getUint32' }; // types of a TIFF value that an orientation has
const LONE = (marker) => marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd9); // JPEG's markers without a segment, ITU T.81
const SCAN = 0xda;

/** Orientation -> the canvas transform that shows a picture of width w and height h upright. */
const TRANSFORMS = {
  2: (w, h) => [-1, 0, 0, 1, w, 0],
  3: (w, h) => [-1, 0, 0, -1, w, h],
  4: (w, h) => [1, 0, 0, -1, 0, h],
  5: () => [0, 1, 1, 0, 0, 0],
  6: (w, h) => [0, 1, -1, 0, h, 0],
  7: (w, h) => [0, -1, -1, 0, h, w],
  8: (w) => [0, -1, 1, 0, 0, w],
};

/**
 * The picture of a file as its pixels lie there, and how they are to be turned.
 *
 * @param {Blob} file
 * @param {ImageBitmapOptions} options of `createImageBitmap`.
 * @returns {Promise<{bitmap: ImageBitmap, orientation: number}>} 1 to 8; 1 for upright, and where the file does not say.
 */
export async function decodeAsItLies(file, options) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const block = exifBlock(bytes, new DataView(bytes.buffer));
  if (!block) return { bitmap: await createImageBitmap(file, options), orientation: 1 };
  const [from, to] = block.hidden;
  const rest = new Blob([bytes.subarray(0, from), block.instead ?? '', bytes.subarray(to)], { type: file.type });
  return { bitmap: await createImageBitmap(rest, options), orientation: orientationOf(bytes.subarray(...block.tiff)) };
}

/** The picture upright. */
export function turned(bitmap, orientation) {
  const transform = TRANSFORMS[orientation]?.(bitmap.width, bitmap.height);
  if (!transform) return bitmap;
  const sides = [bitmap.width, bitmap.height];
  const canvas = new OffscreenCanvas(...(orientation >= 5 ? sides.reverse() : sides));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingEnabled = false;
  context.setTransform(...transform);
  context.drawImage(bitmap, 0, 0);
  return canvas.transferToImageBitmap();
}

/** Where the first EXIF block lies: `tiff`, and the bytes that are `hidden`, with what stands `instead`. */
function exifBlock(bytes, view) {
  try {
    if (nameAt(bytes, 1) === 'PNG\r') return inPng(bytes, view);
    return nameAt(bytes, 8) === 'WEBP' ? inWebp(bytes, view) : inJpeg(bytes, view);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // the file ends before
    throw error;
  }
}

function inJpeg(bytes, view) {
  for (let at = 2; view.getUint16(0) === 0xffd8 && bytes[at] === 0xff && bytes[at + 1] !== SCAN;) {
    const marker = bytes[at + 1];
    if (marker === 0xff) at += 1;
    else if (LONE(marker)) at += 2;
    else {
      const end = at + 2 + view.getUint16(at + 2);
      if (marker === 0xe1 && nameAt(bytes, at + 4) === 'Exif' && bytes[at + 8] === 0) return { hidden: [at, end], tiff: [at + 10, end] };
      at = end;
    }
  }
  return undefined;
}

function inPng(bytes, view) {
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const end = at + 8 + view.getUint32(at);
    if (nameAt(bytes, at + 4) === 'eXIf') return { hidden: [at, end + 4], tiff: [at + 8, end] };
  }
  return undefined;
}

function inWebp(bytes, view) {
  for (let at = 12; at + 8 <= bytes.length;) {
    const start = at + 8;
    const end = start + view.getUint32(at + 4, true);
    const prefix = nameAt(bytes, start) === 'Exif' ? 6 : 0;
    if (nameAt(bytes, at) === 'EXIF') return { hidden: [at, at + 4], instead: 'none', tiff: [start + prefix, end] };
    at = end + (end % 2);
  }
  return undefined;
}

/** The orientation in a TIFF file's first directory. */
function orientationOf(tiff) {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  try {
    const little = nameAt(tiff, 0).startsWith('II');
    const start = view.getUint32(4, little);
    for (let entry = start + 2, left = view.getUint16(start, little); left > 0; entry += 12, left--) {
      const read = NUMBERS[view.getUint16(entry + 2, little)];
      if (view.getUint16(entry, little) === TAG && read) return view[read](entry + 8, little);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the block ends before
  }
  return 1;
}

const nameAt = (bytes, at) => String.fromCharCode(...bytes.subarray(at, at + 4));
