// Draws the pictures of docs/browser.md, and that of a report: `BUNDLE=folder REPORT=file node screenshots.js FOLDER`, which `make screenshots` does.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openFile, openPage } from './test_page.js';

const SIZE = { width: 760, height: 560 };
const MOST_BYTES = 150_000;

/** What is shown in each tab, and what is there once all of it is drawn. */
const TABS = {
  text: [(page) => page.fill('#typed', 'What is in this picture? Größe: 3 µm'), '#tokens li:last-child'],
  dialogue: [(page) => page.click('#chat-tab'), '#chat-tokens li:last-child'],
  picture: [(page) => example(page, 'image', 'picture', 'What is this?'), '#patches:not([hidden])'],
  sound: [(page) => example(page, 'audio', 'sound', 'What does he say?'), '#mel:not([hidden])'],
  video: [(page) => example(page, 'video', 'clip', 'What happens?'), '#frames li:last-child canvas'],
};

async function example(page, tab, input, prompt) {
  await page.fill('#typed', prompt);
  await page.click(`#${tab}-tab`);
  await page.click(`#${input}-example`);
}

/** Draws a page from its top, and closes it. */
async function draw(name, { page, complaints, close }, most) {
  await page.evaluate(() => document.activeElement.blur());
  const wire = await page.context().newCDPSession(page);
  const height = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), most);
  const clip = { x: 0, y: 0, width: SIZE.width, height, scale: 1 };
  const { data } = await wire.send('Page.captureScreenshot', { format: 'webp', quality: 80, clip, captureBeyondViewport: true });
  await close();
  const picture = Buffer.from(data, 'base64');
  if (complaints.length || picture.length > MOST_BYTES) throw new Error(`${name}: ${picture.length} bytes; ${complaints.join('\n')}`);
  const file = path.join(folder, `${name}.webp`);
  writeFileSync(file, picture);
  console.log(`drew ${file}, ${picture.length} bytes`);
}

const [folder] = process.argv.slice(2);
for (const [name, [act, drawn]] of Object.entries(TABS)) {
  const opened = await openPage({ size: SIZE });
  await act(opened.page);
  await opened.page.waitForSelector(drawn);
  await opened.page.waitForFunction(() => [...document.querySelectorAll('.count')].every(({ textContent }) => textContent !== '…'));
  await draw(`playground-${name}`, opened, 2 * SIZE.height);
}
const opened = await openFile(process.env.REPORT, { size: SIZE });
await draw('report', opened, 3 * SIZE.height);
