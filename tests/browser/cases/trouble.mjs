// Relays that go and come, browsers that are killed, second tabs, links that do not open.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { BUNDLE, Browser, Relay, run, shot, until } from '../support.mjs';
import { becomes, enter, inRoom, join, message, reads, say, texts, visit } from '../person.mjs';

const GONE = [/ERR_CONNECTION|WebSocket|Failed to load resource/];

test('a relay that goes is told, and what was said waits for it', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  try {
    const page = await join(ann, await relay.room('Tea'), 'Ann');
    await say(page, 'before');
    await becomes(page, 'before', 'kept');
    await relay.kill();
    await page.locator('.bar-sub').getByText(/relay|offline|again/i).waitFor();
    await say(page, 'meanwhile');
    await becomes(page, 'meanwhile', 'sending');
    await shot(page, 'offline');
    await relay.again();
    await becomes(page, 'meanwhile', 'kept');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
});

test('what a first visit does without comes when it is needed, and says when it does not', async () => {
  const relay = await Relay.start();
  const [ann, bob] = [await Browser.start(), await Browser.start()];
  try {
    const link = await relay.room('Tea');
    // At once, long before it would come by itself.
    let page = await join(ann, link, 'Ann');
    await visit(page, 'Settings');
    const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map((e) => [e.name, e.initiatorType]));
    assert.ok(loaded.some(([name, by]) => name.endsWith('/page_later.wasm') && by === 'xmlhttprequest'), `${loaded}`);
    await bob.context.route('**/*_later.wasm', (route) => route.abort());
    page = await join(bob, link, 'Bob');
    // The pointer's way there may be what needs it first; then the button is gone before the click.
    await page.locator('.side').getByRole('button', { name: 'Settings' }).click({ timeout: 2_000 }).catch(() => {});
    await page.getByRole('alert').getByText('did not arrive whole').waitFor();
    await bob.context.unroute('**/*_later.wasm');
    await page.getByRole('button', { name: 'Load again' }).click();
    await page.getByText('Tea').first().waitFor();
    await visit(page, 'Settings');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
    await bob.end({ expect: [...GONE, /NetworkError|later|RuntimeError|Failed to execute/] });
  }
});

test('a killed browser comes back with all that was kept, and nothing is said twice', async () => {
  const relay = await Relay.start();
  let ann = await Browser.start();
  try {
    const link = await relay.room('Tea');
    const page = await join(ann, link, 'Ann');
    const said = Array.from({ length: 12 }, (_, i) => `number ${i}.`);
    for (const text of said) await say(page, text);
    await becomes(page, 'number 3.', 'kept');
    ann = await ann.killed();
    const again = await ann.open(relay.url);
    await again.getByRole('button', { name: /Tea/ }).or(again.getByRole('link', { name: /Tea/ })).first().click();
    await inRoom(again);
    await reads(again, 'number 3.');
    await say(again, 'I am back.');
    await becomes(again, 'I am back.', 'kept');
    const seen = await run(['tail', link, '--all', '--for', '3s', '--json']);
    const told = seen.split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((line) => line.text);
    const all = told.map((line) => line.text);
    assert.equal(new Set(all).size, all.length, 'nothing stands twice');
    for (const text of await texts(again)) assert.ok(all.includes(text.trim()), text);
    assert.ok(all.includes('I am back.') && said.slice(0, 4).every((text) => all.includes(text)));
    assert.ok(!/two things|twice|copied/i.test(seen), 'no counter was used for two letters');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
});

test('a second tab says so, and can take over', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  try {
    const first = await join(ann, await relay.room('Tea'), 'Ann');
    await say(first, 'from the first');
    await becomes(first, 'from the first', 'kept');
    const second = await ann.open(relay.url);
    await second.getByRole('button', { name: 'Use it here' }).waitFor();
    await shot(second, 'second-tab');
    await second.getByRole('button', { name: 'Use it here' }).click();
    await second.getByText('Tea').first().click();
    await reads(second, 'from the first');
    await first.getByRole('button', { name: 'Use it here' }).waitFor();
    await shot(first, 'taken');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
});

test('links that do not open say why', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  try {
    const link = await relay.room('Tea');
    const damaged = await ann.open(link.slice(0, -6));
    await damaged.getByRole('heading', { name: 'This link does not open anything' }).waitFor();
    await shot(damaged, 'damaged-link');
    await damaged.close();
    const page = await ann.open(relay.url);
    await page.getByRole('button', { name: /Open a link/ }).first().click();
    await page.getByLabel('Link', { exact: true }).fill(link.replace(relay.url, 'https://chat.example'));
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.getByRole('heading', { name: 'This room is at another relay' }).waitFor();
    await shot(page, 'foreign-link');
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
});

test('an offline start shows what is kept', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  try {
    const page = await join(ann, await relay.room('Tea'), 'Ann');
    await say(page, 'kept for later');
    await becomes(page, 'kept for later', 'kept');
    await until(() => page.evaluate(() => navigator.serviceWorker.ready.then((r) => Boolean(r.active))), 'a service worker');
    await relay.kill();
    await page.reload();
    await page.getByText('Tea').first().click();
    await reads(page, 'kept for later');
    assert.equal(await message(page, 'kept for later').count(), 1);
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
});

/** The same bundle under another name: a newer one, as far as a browser can tell. */
async function newer() {
  const folder = await mkdtemp(path(tmpdir(), 'estoile-bundle-'));
  await cp(BUNDLE, folder, { recursive: true });
  const [old] = await readdir(path(folder, 'a'));
  const name = old.replace(/^./, (c) => (c === 'f' ? 'e' : 'f'));
  await rename(path(folder, 'a', old), path(folder, 'a', name));
  const sums = JSON.parse(await readFile(path(folder, 'manifest.json'), 'utf8'));
  const files = Object.fromEntries(Object.entries(sums).map(([at, sum]) => [at.replace(`a/${old}/`, `a/${name}/`), sum]));
  for (const file of ['index.html', 'sw.js', 'manifest.webmanifest']) {
    const text = (await readFile(path(folder, file), 'utf8')).replaceAll(old, name);
    await writeFile(path(folder, file), text);
    await writeFile(path(folder, `${file}.br`), brotliCompressSync(text));
    files[file] = createHash('sha256').update(text).digest('hex');
  }
  await writeFile(path(folder, 'manifest.json'), JSON.stringify(files));
  return { folder, name };
}

test('a page that is older than what its relay serves says so, and loads the newer one', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start();
  const { folder, name } = await newer();
  try {
    const page = await join(ann, await relay.room('Tea'), 'Ann');
    await say(page, 'said in the old one');
    await becomes(page, 'said in the old one', 'kept');
    await until(() => page.evaluate(() => navigator.serviceWorker.ready.then((r) => Boolean(r.active))), 'a service worker');
    const host = new URL(relay.url).host;
    await relay.kill();
    relay.args[relay.args.indexOf('--web') + 1] = folder;
    await relay.go(host);
    // The old page still works with the newer relay, and hears of it when it is loaded again.
    await page.reload();
    await enter(page, 'Tea');
    await say(page, 'still in the old one');
    await becomes(page, 'still in the old one', 'kept');
    await page.getByRole('button', { name: 'Reload' }).waitFor();
    await shot(page, 'newer');
    await page.getByRole('button', { name: 'Reload' }).click();
    await page.locator(`meta[name=estoile-bundle][content="${name}"]`).waitFor({ state: 'attached' });
    await enter(page, 'Tea');
    await reads(page, 'said in the old one');
    await reads(page, 'still in the old one');
  } finally {
    await Promise.allSettled([relay.end(), rm(folder, { recursive: true, force: true })]);
    await ann.end({ expect: GONE });
  }
});
