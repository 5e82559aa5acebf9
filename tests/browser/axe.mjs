// What axe finds wrong with a page, and a walk over screens that asks it of each.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { shot } from './support.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong with what is shown. */
export async function faults(page) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).slice(0, 3).join(' | ')}`);
}

/** Every screen that is looked at: a picture of each, and what is wrong with any. */
export class Gallery {
  constructor(suffix) {
    this.suffix = suffix;
    this.wrong = [];
  }

  async look(page, name) {
    this.wrong.push(...(await faults(page)).map((fault) => `${name}: ${fault}`));
    await shot(page, `${name}-${this.suffix}`);
  }
}
