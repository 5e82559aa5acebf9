// A quick room: two browsers and the terminal, by link and by passphrase; what the network saw; hostile texts.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Browser, Program, Relay, run, shot, until } from '../support.mjs';
import { becomes, field, join, message, reads, say } from '../person.mjs';

test('two people and a terminal talk by a link', async () => {
  const relay = await Relay.start();
  const [ann, bob] = [await Browser.start(), await Browser.start()];
  try {
    const link = await relay.room('Tea');
    const annPage = await join(ann, link, 'Ann');
    assert.equal(new URL(annPage.url()).hash, '', 'the secret is out of the address');
    const bobPage = await join(bob, link, 'Bob');
    await say(annPage, 'Does the kettle work?');
    await reads(bobPage, 'Does the kettle work?');
    await say(bobPage, 'It *does*, thank you');
    await reads(annPage, 'It does, thank you');
    await becomes(annPage, 'Does the kettle work?', 'seen');
    const tail = new Program(['tail', link, '--json', '--all']);
    await tail.line((line) => line.includes('Does the kettle work?'));
    await run(['send', link, '--as', 'Cleo', 'from a terminal']);
    await reads(annPage, 'from a terminal');
    await reads(bobPage, 'from a terminal');
    await tail.stop();
    await shot(annPage, 'room');
    for (const browser of [ann, bob]) {
      assert.deepEqual([...browser.hosts], [new URL(relay.url).host], 'no third party was asked for anything');
    }
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: [/ERR_CONNECTION|WebSocket/] });
    await bob.end({ expect: [/ERR_CONNECTION|WebSocket/] });
  }
});

test('a passphrase room is opened with its passphrase', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  try {
    const passphrase = 'copper lantern orbit velvet harbour';
    const link = await relay.passphraseRoom('Club', passphrase);
    const page = await join(ann, link, 'Ann', passphrase);
    await say(page, 'inside');
    await becomes(page, 'inside', 'kept');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: [/ERR_CONNECTION|WebSocket/] });
  }
});

test('what others write is text, whatever it looks like', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  try {
    const link = await relay.room('Tea');
    const page = await join(ann, link, 'Ann');
    const hostile = [
      '<img src=x onerror="document.title=\'owned\'">',
      '<script>document.title="owned"</script>',
      '[click](javascript:document.title="owned")',
      '![p](https://tracker.example/p.png)',
      'right \u202eto left\u202c and \u0007bell \u001b[31mred',
      `${'long'.repeat(800)} end of the long one`,
    ];
    for (const text of hostile) await run(['send', link, '--as', 'Mallory', text]);
    await reads(page, 'end of the long one');
    const live = await page.locator('.timeline').evaluate((timeline) => [...timeline.querySelectorAll('.msg *')].filter((element) =>
      /^(a|audio|embed|form|iframe|img|link|object|script|style|svg|video)$/i.test(element.localName)
      || element.getAttributeNames().some((name) => /^(href|src|srcset|style|on.*)$/i.test(name)
        || /javascript:/i.test(element.getAttribute(name)))).map((element) => element.outerHTML));
    assert.deepEqual(live, [], 'nothing became an element or an attribute that does something');
    assert.ok(!/[\u202e\u0007\u001b]/.test(await page.locator('.timeline').innerText()), 'nothing turns or rings');
    assert.ok(!(await page.title()).includes('owned'));
    assert.deepEqual([...ann.hosts], [new URL(relay.url).host], 'nothing was fetched');
    await shot(page, 'hostile');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: [/ERR_CONNECTION|WebSocket/] });
  }
});

test('a link is shown whole before it opens', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  try {
    const link = await relay.room('Tea');
    const page = await join(ann, link, 'Ann');
    await run(['send', link, '--as', 'Bob', 'see [the menu](https://elsewhere.example/menu?x=1)']);
    await reads(page, 'the menu');
    await message(page, 'the menu').locator('.link').click();
    await page.getByRole('dialog').getByText('https://elsewhere.example/menu?x=1').waitFor();
    await shot(page, 'link');
    await page.keyboard.press('Escape');
    await until(async () => (await page.getByRole('dialog').count()) === 0, 'the dialog is gone');
    assert.ok(await field(page).isVisible());
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: [/ERR_CONNECTION|WebSocket/] });
  }
});
