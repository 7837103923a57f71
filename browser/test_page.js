// What the tests in a browser share: the page, what it complains about, and Python's answers in it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { serve, urlOf } from './server.js';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const HERE = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);

export const MEDIA = path.join(HERE, '../export/demonstration');

/** Signatures of the bundle that is tested, and their names without sizes. */
export const { signatures, preprocessor: settings } = JSON.parse(readFileSync(path.join(process.env.BUNDLE, 'signatures.json'), 'utf8'));
export const kinds = new Set(Object.keys(signatures).map((name) => name.replace(/_\d+((x\d+)+|s)?$/, '')));

/** How near values must be to Python's, by the name of the output. */
export const AGREES = {
  audio_mel: ({ largest }) => largest <= 1e-4,
  pixel_values: ({ largest, differing, size }) => largest <= 1.001 / 255 && differing < 1e-4 * size,
};
AGREES.pixel_values_videos = AGREES.pixel_values;

/**
 * The playground in a browser, loaded, with `preprocessor`, `golden` and `difference` beside it if there is a file of answers.
 *
 * @param {{golden?: string, colorScheme?: string, size?: {width: number, height: number}}} options
 * @returns {Promise<{page: object, server: object, complaints: string[], close: () => Promise<void>}>}
 */
export async function openPage({ golden, ...settings } = {}) {
  const server = await serve({ '/bundle/': process.env.BUNDLE, ...(golden && { '/golden/': path.dirname(golden) }) });
  const { page, complaints, close: closePage } = await openBrowser(settings);
  await page.goto(urlOf(server));
  await page.waitForSelector('#loading', { state: 'detached' });
  if (golden) await page.evaluate(prepare, `golden/${path.basename(golden)}`);
  const close = async () => {
    await closePage();
    server.close();
  };
  return { page, server, complaints, close };
}

/** A file in a browser that is offline; what its own policy forbids is a complaint. */
export async function openFile(file, settings = {}) {
  const opened = await openBrowser(settings);
  await opened.page.context().setOffline(true);
  await opened.page.goto(`file://${path.resolve(file)}`);
  return opened;
}

async function openBrowser({ colorScheme = 'light', size = { width: 1000, height: 900 } }) {
  assert(existsSync(CHROMIUM), `CHROMIUM: must be a browser's program; ${CHROMIUM} is not there. Install chromium or say where it is.`);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
  const page = await browser.newPage({ colorScheme, viewport: size });
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.stack));
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure().errorText}`));
  page.on('response', (response) => response.status() >= 400 && complaints.push(`${response.url()}: ${response.status()}`));
  return { page, complaints, close: () => browser.close() };
}

/** In the page: `preprocessor`, Python's answers (read here and not sent, since the wire has no lone surrogates) and how to compare. */
async function prepare(url) {
  const { Preprocessor } = await import('./preprocessor.js');
  const types = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
  globalThis.preprocessor = await Preprocessor.load('bundle', { pieces: true });
  const inflated = (bytes) => new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))).arrayBuffer();
  const restored = async (value) => {
    if (value === null || typeof value !== 'object') return value;
    if (value.base64 !== undefined) return new types[value.dtype](await inflated(Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0))));
    for (const [key, inner] of Object.entries(value)) value[key] = await restored(inner);
    return value;
  };
  globalThis.golden = await restored(await (await fetch(url)).json());
  /** Largest difference, their mean, and how many values differ; an array of another type or length differs everywhere. */
  globalThis.difference = (ours, theirs) => {
    if (ours.constructor !== theirs.constructor || ours.length !== theirs.length) return { largest: Infinity, differing: Infinity, mean: Infinity };
    let [largest, differing, sum] = [0, 0, 0];
    for (let index = 0; index < ours.length; index++) {
      const off = Math.abs(ours[index] - theirs[index]);
      if (off === 0) continue;
      differing++;
      sum += off;
      largest = Math.max(largest, Number.isNaN(off) ? Infinity : off);
    }
    return { largest, differing, mean: sum / ours.length };
  };
}

/** How many colours a canvas has. */
export function colours(page, selector) {
  return page.$eval(selector, (canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
}
