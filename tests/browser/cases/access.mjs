// The page without a mouse, on a phone, in the dark, and under axe.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Browser, Relay, run, shot } from '../support.mjs';
import { becomes, join, reads, say } from '../person.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const GONE = [/ERR_CONNECTION|WebSocket/];

/** What axe finds wrong with what is shown. */
async function faults(page) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).slice(0, 3).join(' | ')}`);
}

const SCREENS = [
  ['home', async (page) => { await page.keyboard.press('Control+k'); await page.keyboard.press('Escape'); }],
  ['new-room', async (page) => page.getByRole('button', { name: 'Make a room or open a link' }).click()],
  ['people', async (page) => page.getByRole('button', { name: /^People/ }).first().click()],
  ['settings', async (page) => page.getByRole('button', { name: 'Settings' }).first().click()],
  ['help', async (page) => page.getByRole('button', { name: 'Help' }).first().click()],
  ['switcher', async (page) => page.keyboard.press('Control+k')],
];

for (const [theme, colorScheme] of [['light', 'light'], ['dark', 'dark']]) {
  for (const [size, viewport] of [['wide', { width: 1280, height: 800 }], ['phone', { width: 390, height: 844 }]]) {
    if (theme === 'dark' && size === 'phone' && process.env.ESTOILE_SHORT) continue;
    test(`axe finds nothing wrong: ${theme}, ${size}`, async () => {
      const relay = await Relay.start();
      const ann = await Browser.start({ context: { colorScheme, viewport, hasTouch: size === 'phone', reducedMotion: 'reduce' } });
      const wrong = [];
      try {
        const link = await relay.room('Tea');
        const landing = await ann.open(link);
        await landing.getByLabel('Your name here').waitFor();
        wrong.push(...(await faults(landing)).map((f) => `landing: ${f}`));
        await shot(landing, `landing-${theme}-${size}`);
        await landing.close();
        const page = await join(ann, link, 'Ann');
        await say(page, 'Does the **kettle** work? See https://example.org/tea');
        await becomes(page, 'kettle', 'kept');
        await run(['send', link, '--as', 'Bob', 'It does, and the tea is ready.']);
        await reads(page, 'the tea is ready');
        wrong.push(...(await faults(page)).map((f) => `room: ${f}`));
        await shot(page, `room-${theme}-${size}`);
        if (size === 'phone') await page.getByRole('button', { name: 'Back to the rooms' }).click();
        for (const [name, go] of SCREENS) {
          await go(page);
          wrong.push(...(await faults(page)).map((f) => `${name}: ${f}`));
          await shot(page, `${name}-${theme}-${size}`);
          if (name === 'switcher') await page.keyboard.press('Escape');
          else if (size === 'phone' && name !== 'home') await page.getByRole('button', { name: /rooms/i }).first().click();
        }
      } finally {
        await Promise.allSettled([relay.end()]);
        await ann.end({ expect: GONE });
      }
      assert.deepEqual(wrong, []);
    });
  }
}

test('a whole talk by keyboard alone', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  try {
    const page = await ann.open(await relay.room('Tea'));
    const name = page.getByLabel('Your name here');
    await name.waitFor();
    for (let step = 0; step < 20 && !(await name.evaluate((e) => e === document.activeElement)); step += 1) {
      await page.keyboard.press('Tab');
    }
    await page.keyboard.type('Ann');
    await page.keyboard.press('Enter');
    await page.getByRole('log', { name: 'Messages' }).waitFor();
    const field = page.locator('.composer textarea');
    for (let step = 0; step < 30 && !(await field.evaluate((e) => e === document.activeElement)); step += 1) {
      await page.keyboard.press('Tab');
    }
    await page.keyboard.type('one line');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('and another');
    await page.keyboard.press('Enter');
    await becomes(page, 'one line', 'kept');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('make');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Make a room' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('tea');
    await page.keyboard.press('Enter');
    await reads(page, 'and another');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
});
