// The playground by axe's rules and by keyboard alone, each tab empty, with an example and with an error: `BUNDLE=folder node --test test_accessibility.js`.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { kinds, openPage } from './test_page.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const TABS = { text: 'tokenize', chat: 'tokenize', image: 'preprocess_image', audio: 'preprocess_audio', video: 'preprocess_video' };
const tabs = Object.keys(TABS).filter((tab) => kinds.has(TABS[tab]));
const FILES = { image: 'picture', audio: 'sound', video: 'clip' };
const DRAWN = { image: '#patches:not([hidden])', audio: '#mel:not([hidden])', video: '#frames canvas' };

/** The rules that the page breaks as it is, and where. */
async function violations(page) {
  const { violations, passes } = await page.evaluate(() => axe.run());
  assert(passes.length > 10);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.length} such as ${nodes[0].target}: ${nodes[0].failureSummary}`);
}

/** Waits until a tab's sentence and the row's are there. */
const settled = (page, tab) => page.waitForFunction((tab) => [tab, 'row'].every((id) => !['', '…'].includes(document.getElementById(`${id}-count`).textContent)), tab);

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1000, 360]) {
    test(`no tab breaks a rule of axe's, in ${colorScheme} colours, ${width} pixels wide`, async (context) => {
      const { page, complaints, close } = await openPage({ colorScheme, size: { width, height: 900 } });
      context.after(close);
      await page.addScriptTag({ path: AXE });
      for (const tab of tabs) {
        await page.click(`#${tab}-tab`);
        assert.deepEqual(await violations(page), [], `${tab}, empty`);
        if (FILES[tab]) {
          await page.click(`#${FILES[tab]}-example`);
          await page.waitForSelector(DRAWN[tab]);
          await settled(page, tab);
          assert.deepEqual(await violations(page), [], `${tab}, with an example`);
          await page.setInputFiles(`#${FILES[tab]}`, { name: 'a.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') });
        } else if (tab === 'text') {
          await page.fill('#typed', 'x'.repeat(5000));
        } else continue;
        await page.waitForSelector(`#${tab}-count.bad`);
        assert.deepEqual(await violations(page), [], `${tab}, with an error`);
        if (tab === 'text') await page.fill('#typed', 'Hello');
      }
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wider, 0, 'the page does not scroll sideways');
      assert.deepEqual(complaints, []);
    });
  }
}

test('arrows, Home and End go from tab to tab, and the Tab key into the panel', async (context) => {
  const { page, close } = await openPage();
  context.after(close);
  const chosen = () => page.$$eval('[role=tab][aria-selected=true]', (found) => found.map(({ id }) => id.replace('-tab', '')));
  const visible = () => page.$$eval('[role=tabpanel]', (panels) => panels.filter(({ hidden }) => !hidden).map(({ id }) => id));
  const focused = () => page.evaluate(() => document.activeElement.id);
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'text-tab');
  const steps = [['ArrowRight', tabs[1]], ['ArrowLeft', tabs[0]], ['ArrowLeft', tabs.at(-1)], ['ArrowRight', tabs[0]], ['End', tabs.at(-1)], ['Home', tabs[0]]];
  for (const [key, tab] of steps) {
    await page.keyboard.press(key);
    assert.deepEqual([await chosen(), await visible(), await focused()], [[tab], [tab], `${tab}-tab`], key);
  }
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'typed');
});
