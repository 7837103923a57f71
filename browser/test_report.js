// A report by axe's rules, in both colours and on narrow screens: `REPORT=file node --test test_report.js`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { openFile } from './test_page.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1000, 360]) {
    test(`a report breaks no rule of axe's, in ${colorScheme} colours, ${width} pixels wide`, async (context) => {
      const { page, complaints, close } = await openFile(process.env.REPORT, { colorScheme, size: { width, height: 900 } });
      context.after(close);
      const loaded = await page.$$eval('img', (images) => images.map(({ complete, naturalWidth }) => complete && naturalWidth > 0));
      assert.deepEqual(loaded, [true, true], 'the pictures are inside');
      await page.evaluate(AXE);
      const { violations, passes } = await page.evaluate(() => axe.run());
      assert(passes.length > 10);
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].target}: ${nodes[0].failureSummary}`), []);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wider, 0, 'the page does not scroll sideways');
      assert.deepEqual(complaints, []);
    });
  }
}
