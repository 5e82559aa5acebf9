// The page without a mouse, on a phone, in the dark, and under axe.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Browser, Relay, run } from '../support.mjs';
import { Gallery } from '../axe.mjs';
import { becomes, join, reads, say } from '../person.mjs';

const GONE = [/ERR_CONNECTION|WebSocket/];

const SCREENS = [
  ['new-room', async (page) => page.getByRole('button', { name: 'Make a room or open a link' }).click()],
  ['people', async (page) => page.getByRole('button', { name: /^People/ }).first().click()],
  ['settings', async (page) => page.getByRole('button', { name: 'Settings' }).first().click()],
  ['help', async (page) => page.getByRole('button', { name: 'Help' }).first().click()],
  ['home', async (page) => page.keyboard.press('Escape')],
  ['switcher', async (page) => page.keyboard.press('Control+k')],
];

for (const [theme, colorScheme] of [['light', 'light'], ['dark', 'dark']]) {
  for (const [size, viewport] of [['wide', { width: 1280, height: 800 }], ['phone', { width: 390, height: 844 }]]) {
    if (theme === 'dark' && size === 'phone' && process.env.ESTOILE_SHORT) continue;
    test(`axe finds nothing wrong: ${theme}, ${size}`, async () => {
      const relay = await Relay.start();
      const ann = await Browser.start({ context: { colorScheme, viewport, hasTouch: size === 'phone', reducedMotion: 'reduce' } });
      const gallery = new Gallery(`${theme}-${size}`);
      try {
        const link = await relay.room('Tea');
        const landing = await ann.open(link);
        await landing.getByLabel('Your name here').waitFor();
        await gallery.look(landing, 'landing');
        await landing.close();
        const page = await join(ann, link, 'Ann');
        await page.getByText('You are the first one here.').waitFor();
        await gallery.look(page, 'empty');
        await say(page, 'Does the **kettle** work? See https://example.org/tea');
        await becomes(page, 'kettle', 'kept');
        await run(['send', link, '--as', 'Bob', 'It does, and the tea is ready.']);
        await reads(page, 'the tea is ready');
        await say(page, 'Then I come down.');
        await say(page, 'Leave me a cup, please, and one of those biscuits that your sister brought from the coast, if any of them have survived the afternoon.');
        await becomes(page, 'Leave me', 'kept');
        await gallery.look(page, 'room');
        if (size === 'phone') await page.getByRole('button', { name: 'Back to the rooms' }).click();
        for (const [name, go] of SCREENS) {
          await go(page);
          await gallery.look(page, name);
          if (name === 'switcher') await page.keyboard.press('Escape');
          else if (size === 'phone' && name !== 'home') await page.getByRole('button', { name: /rooms/i }).first().click();
        }
      } finally {
        await Promise.allSettled([relay.end()]);
        await ann.end({ expect: GONE });
      }
      assert.deepEqual(gallery.wrong, []);
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
