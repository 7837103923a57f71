// Draws what the model gets, not what was put in: patches and mel frames.

const PATCH = 16; // pixels a side
const POOLED = 3; // patches a side that become one soft token
const MELS = 128;

/**
 * Puts patches back to where their positions say, with a line around each soft token's 3 × 3.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values [N, 768], each patch in (row, column, channel) order, 0…1.
 * @param {Int32Array} positions [N, 2] as (x, y); -1 for padding.
 * @returns {[number, number]} patches in a row and in a column.
 */
export function drawPatches(canvas, values, positions) {
  const columns = largest(positions, 0) + 1;
  const rows = largest(positions, 1) + 1;
  [canvas.width, canvas.height] = [columns * PATCH, rows * PATCH];
  const context = canvas.getContext('2d');
  const patch = context.createImageData(PATCH, PATCH);
  const numbers = PATCH * PATCH * 3;
  for (let index = 0; index < positions.length / 2; index++) {
    const [x, y] = positions.subarray(2 * index, 2 * index + 2);
    if (x < 0) continue;
    fill(patch.data, values.subarray(index * numbers, (index + 1) * numbers));
    context.putImageData(patch, x * PATCH, y * PATCH);
  }
  drawGrid(context, columns, rows, 1, 'rgb(255 255 255 / 25%)');
  drawGrid(context, columns, rows, POOLED, 'rgb(255 255 255 / 80%)');
  return [columns, rows];
}

/**
 * Frames from left to right, mel bins from low to high, dark to bright.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} mel [F, 128], natural logarithms.
 * @param {number} frames how many to draw; at least one is.
 */
export function drawSpectrogram(canvas, mel, frames) {
  [canvas.width, canvas.height] = [Math.max(frames, 1), MELS];
  const shown = mel.subarray(0, canvas.width * MELS);
  const [low, high] = shown.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const context = canvas.getContext('2d');
  const image = context.createImageData(canvas.width, MELS);
  shown.forEach((value, index) => {
    const [frame, bin] = [Math.floor(index / MELS), index % MELS];
    image.data.set(colour((value - low) / (high - low || 1)), 4 * ((MELS - 1 - bin) * canvas.width + frame));
  });
  context.putImageData(image, 0, 0);
}

/** Black through violet and orange to pale yellow, for 0…1. */
function colour(value) {
  const wave = (shift) => Math.round(255 * Math.min(1, Math.max(0, shift)));
  return [wave(1.8 * value - 0.1), wave(2 * value - 0.95), wave(value < 0.5 ? 1.3 * value : 1.3 - 1.8 * value + Math.max(0, 4 * value - 3)), 255];
}

function fill(rgba, values) {
  for (let from = 0, to = 0; from < values.length; from += 3, to += 4) {
    for (let channel = 0; channel < 3; channel++) rgba[to + channel] = Math.round(values[from + channel] * 255);
    rgba[to + 3] = 255;
  }
}

function drawGrid(context, columns, rows, step, colour) {
  context.strokeStyle = colour;
  context.beginPath();
  for (let column = step; column < columns; column += step) line(context, column * PATCH, 0, column * PATCH, rows * PATCH);
  for (let row = step; row < rows; row += step) line(context, 0, row * PATCH, columns * PATCH, row * PATCH);
  context.stroke();
}

function line(context, fromX, fromY, toX, toY) {
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
}

function largest(positions, axis) {
  let most = -1;
  for (let index = axis; index < positions.length; index += 2) most = Math.max(most, positions[index]);
  return most;
}
