// Browsers that lack what is needed, keep nothing, or threw away what they kept: each a screen with a way out.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { Browser, Relay, shot, until } from '../support.mjs';
import { becomes, join, reads, say } from '../person.mjs';

const GONE = [/ERR_CONNECTION|WebSocket/];

test('a browser without what is needed says what is missing', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start({ args: ['--host-resolver-rules=MAP chat.example 127.0.0.1'] });
  try {
    const link = await relay.room('Tea');
    const page = await ann.open(link.replace('127.0.0.1', 'chat.example'));
    await page.getByRole('alert').getByText('not protected').waitFor();
    await shot(page, 'not-protected');
    await ann.context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined }));
    const old = await ann.open(link);
    await old.getByRole('alert').getByText("its tabs can't know of each other").waitFor();
    await shot(old, 'too-old');
  } finally {
    await Promise.allSettled([relay.end()]);
    // The browser's own word about an address that is not protected.
    await ann.end({ expect: [...GONE, /Cross-Origin-Opener-Policy header has been ignored/] });
  }
});

test('a browser that keeps nothing says so, and the room works as long as the tab is open', async () => {
  const relay = await Relay.start();
  const profile = await mkdtemp(path(tmpdir(), 'estoile-browser-'));
  await mkdir(path(profile, 'Default'));
  // What somebody sets who lets no site keep anything.
  const never = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(path(profile, 'Default', 'Preferences'), JSON.stringify(never));
  const ann = await Browser.start({ profile });
  try {
    const link = await relay.room('Tea');
    const page = await join(ann, link, 'Ann');
    await page.getByText('Nothing here outlives this tab.').waitFor();
    await page.getByText('This browser keeps nothing for this page').waitFor();
    await say(page, 'said in passing');
    await becomes(page, 'said in passing', 'kept');
    await shot(page, 'keeps-nothing');
    await page.close();
    const again = await join(ann, link, 'Ann');
    await reads(again, 'said in passing');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
});

test('what a browser throws away is told at once, and a link opens the room again', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  try {
    const link = await relay.room('Tea');
    const page = await join(ann, link, 'Ann');
    await say(page, 'before');
    await becomes(page, 'before', 'kept');
    const cdp = await ann.context.newCDPSession(page);
    await cdp.send('Storage.clearDataForOrigin', { origin: relay.url, storageTypes: 'indexeddb' });
    await page.getByText('thrown away what Estoile kept here').waitFor();
    await shot(page, 'thrown-away');
    await page.getByRole('button', { name: 'Load the page again' }).click();
    await page.getByRole('button', { name: /Open a link/ }).first().waitFor();
    await page.close();
    await reads(await join(ann, link, 'Ann'), 'before');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
});

test('what is damaged is told, and can be erased', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  try {
    const page = await join(ann, await relay.room('Tea'), 'Ann');
    await page.evaluate(() => new Promise((done, failed) => {
      const opening = indexedDB.open('estoile');
      opening.onerror = failed;
      opening.onsuccess = () => {
        const writing = opening.result.transaction('vault', 'readwrite');
        writing.objectStore('vault').put(new Uint8Array([1, 2, 3]), 'head');
        writing.oncomplete = done;
        writing.onabort = failed;
      };
    }));
    await page.goto('about:blank');
    await page.goto(relay.url);
    await page.getByText('is damaged, or part of it was thrown away').waitFor();
    await shot(page, 'damaged-vault');
    await page.getByRole('button', { name: 'Erase it and begin anew' }).click();
    await page.getByLabel('Type erase').fill('erase');
    await page.getByRole('button', { name: 'Erase everything' }).click();
    await page.getByRole('button', { name: /Open a link/ }).first().waitFor();
    assert.equal(await page.locator('.side').getByText('Tea').count(), 0);
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
});

test("with the relay's own certificate all works but an offline start", async () => {
  // Beyond this machine's own address a relay speaks TLS, with a certificate that it made.
  const relay = await Relay.start({ address: '0.0.0.0:0', args: ['--open'] });
  const url = relay.url.replace('0.0.0.0', '127.0.0.1');
  // Somebody has read the browser's warning and goes on.
  const ann = await Browser.start({ context: { ignoreHTTPSErrors: true } });
  try {
    assert.match(url, /^https:/);
    const page = await ann.open(url);
    await page.getByRole('button', { name: 'Make a room Share' }).click();
    await page.getByLabel('Name of the room').fill('Tea');
    await page.getByLabel('Your name here').fill('Ann');
    await page.getByRole('button', { name: 'Make the room' }).click();
    await say(page, 'behind a warning');
    await becomes(page, 'behind a warning', 'kept');
    await until(() => page.evaluate(() => document.documentElement.dataset.offline === 'no'), 'no offline start');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: [...GONE, /An SSL certificate error occurred when fetching the script/] });
  }
});
