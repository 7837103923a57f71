// Pixels of what a browser draws, and these without alpha in the array of a signature.

/**
 * Pixels of a picture as `ImageData`.
 *
 * @param {CanvasImageSource} picture
 * @param {number} [scale] of both sides.
 */
export function pixelsOf(picture, scale = 1) {
  const width = Math.max(1, Math.round((picture.naturalWidth ?? picture.width) * scale));
  const height = Math.max(1, Math.round((picture.naturalHeight ?? picture.height) * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** RGB of RGBA over a colour, or without alpha if that is null, in the top left corner of a bucket [1, height, width, 3]; what does not fit is left out. */
export function composited(data, width, height, [, rows, columns], background) {
  const pixels = new Uint8Array(rows * columns * 3);
  for (let row = 0; row < Math.min(height, rows); row++) {
    let from = row * width * 4;
    let to = row * columns * 3;
    for (let column = 0; column < Math.min(width, columns); column++, from += 4, to += 3) {
      const alpha = background ? data[from + 3] : 255;
      for (let channel = 0; channel < 3; channel++) {
        pixels[to + channel] = alpha === 255 ? data[from + channel] : over(data[from + channel], alpha, background[channel]);
      }
    }
  }
  return pixels;
}

/** A level over another, rounded to nearest, as `graph_ops/image/transparency.py` and Pillow do it. */
function over(level, alpha, background) {
  const sum = level * alpha + background * (255 - alpha) + 128;
  return (sum + (sum >> 8)) >> 8;
}
