// Large rooms, slow machines, slow lines. What is measured is printed; a slower machine fails nothing.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Browser, Program, Relay, shot, until } from '../support.mjs';
import { line, slowed } from '../slow.mjs';
import { becomes, enter, inRoom, message, reads, say, visit } from '../person.mjs';

const GONE = [/ERR_CONNECTION|WebSocket/];
/** `ESTOILE_MANY=100000` for the figures of docs/web.md. */
const MANY = Number(process.env.ESTOILE_MANY ?? 2_000);
const SLOWER = 4;

const figure = (what, value, unit = 'ms') => console.log(`figure: ${what}: ${unit === 'ms' ? Math.round(value) : value.toFixed(1)} ${unit}`);
const clock = () => performance.now();

/**
 * Has every page of a browser note when it first stood with these texts on the screen, and when it was clicked: in milliseconds
 * since it was asked for. Whoever asks from outside asks too seldom to measure by it.
 */
const notes = (context, texts) => context.addInitScript((texts) => {
  const noted = {};
  globalThis.noted = noted;
  const painted = (note) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = note;
    channel.port2.postMessage('');
  });
  const waiting = new Map(Object.entries(texts));
  new MutationObserver(() => {
    for (const [name, text] of waiting) {
      if (!document.body?.textContent.includes(text)) continue;
      waiting.delete(name);
      painted(() => { noted[name] = performance.now(); });
    }
  }).observe(document, { childList: true, subtree: true, characterData: true });
  addEventListener('click', () => { noted.clicked ??= performance.now(); }, true);
}, texts);
/** How long a page takes to count, in milliseconds: long enough that the first moments, in which nothing is slowed yet, do not count. */
const counted = (page) => page.evaluate(() => {
  const begun = performance.now();
  let sum = 0;
  for (let i = 0; i < 1_000_000_000; i += 1) sum = (sum + i) | 0;
  return performance.now() - begun + (sum & 0);
});
const noted = async (page) => {
  await until(() => page.evaluate(() => 'joined' in globalThis.noted), 'it is painted');
  return page.evaluate(() => globalThis.noted);
};

test('from a click to joined, on a slow machine behind a slow line', async () => {
  const relay = await Relay.start();
  const slow = await line(relay.url);
  const ann = await Browser.start();
  let faster = async () => {};
  try {
    const link = (await relay.room('Tea')).replace(relay.url, slow.url);
    await notes(ann.context, { asked: 'Your name here', joined: 'You are the first one here.' });
    const page = await ann.context.newPage();
    // A page of the relay's own origin without a program: its process is the one that is slowed.
    await page.goto(`${slow.url}/version`);
    const quick = await counted(page);
    faster = slowed(ann, SLOWER);
    figure('a slowed page is slower', (await counted(page)) / quick, 'times');
    await page.goto(link, { waitUntil: 'commit' });
    await page.getByLabel('Your name here').fill('Ann');
    await page.getByRole('button', { name: 'Join' }).click();
    await page.getByText('You are the first one here.').waitFor();
    const { asked, clicked, joined } = await noted(page);
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    figure(`cold, ${SLOWER} times slower, 10 Mbit/s: first paint`, paint);
    figure(`cold, ${SLOWER} times slower, 10 Mbit/s: click to the question for a name`, asked);
    figure(`cold, ${SLOWER} times slower, 10 Mbit/s: name given to joined and readable`, joined - clicked);
    figure(`cold, ${SLOWER} times slower, 10 Mbit/s: both`, asked + joined - clicked);
    await faster();
    const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map((e) => [e.name, e.initiatorType]));
    const early = loaded.filter(([name, by]) => name.includes('_later.wasm') && by === 'xmlhttprequest');
    assert.deepEqual(early, [], 'a first visit runs what comes later: `cargo xtask web --learn`');
    await until(() => page.evaluate(() => navigator.serviceWorker.ready.then((r) => Boolean(r.active))), 'a service worker');
    await page.close();
    const again = await ann.context.newPage();
    await again.goto(`${slow.url}/version`);
    faster = slowed(ann, SLOWER);
    await again.goto(link, { waitUntil: 'commit' });
    await again.getByText('You are the first one here.').waitFor();
    const { joined: warm } = await noted(again);
    const marks = await again.evaluate(() => performance.getEntriesByType('mark').map((m) => [m.name, m.startTime]));
    const parts = marks.map(([name, at]) => `${name} ${Math.round(at)}`).join(', ');
    console.log(`figure: warm, ${SLOWER} times slower: ${parts}`);
    figure(`warm, ${SLOWER} times slower: click to joined and readable`, warm);
    await inRoom(again);
    await faster();
    faster = async () => {};
    await again.close();
    const third = await ann.context.newPage();
    await third.goto(`${slow.url}/version`);
    await third.goto(link, { waitUntil: 'commit' });
    await third.getByText('You are the first one here.').waitFor();
    figure('warm, as fast as this machine is: click to joined and readable', (await noted(third)).joined);
  } finally {
    await faster();
    await Promise.allSettled([slow.end(), relay.end()]);
    await ann.end({ expect: GONE });
  }
});

/** Turns of the wheel, and milliseconds between them: two frames, as somebody does who wants to be elsewhere soon. */
const TURNS = 60;
const TURN = 33;

/**
 * Turns the wheel upwards, and says how long frames took meanwhile. The page is asked for nothing between the turns: what it is
 * asked runs as slowly as its own work, in the same frames.
 */
async function scrolled(page) {
  await page.locator('.timeline').hover();
  await page.evaluate(() => {
    const frames = [];
    let last = null;
    const frame = (now) => {
      if (last !== null) frames.push(now - last);
      last = now;
      globalThis.watching = requestAnimationFrame(frame);
    };
    globalThis.watching = requestAnimationFrame(frame);
    globalThis.frames = frames;
  });
  for (let turn = 0; turn < TURNS; turn += 1) {
    await page.mouse.wheel(0, -400);
    await new Promise((done) => setTimeout(done, TURN));
  }
  return page.evaluate(() => {
    cancelAnimationFrame(globalThis.watching);
    return globalThis.frames.sort((a, b) => b - a);
  });
}

/** A page without a program, in which as many rows stand as fit: what this browser on this machine can do at best. */
async function bare(context, rows) {
  const page = await context.newPage();
  const row = (i) => `<article><p>message ${i} of many: ${'lorem ipsum dolor sit amet '.repeat(i % 5)}</p></article>`;
  await page.setContent(`<!doctype html><style>body { margin: 0 } .timeline { height: 100vh; overflow-y: auto } p { margin: .25rem }</style>
    <div class="timeline">${Array.from({ length: rows }, (_, i) => row(i)).join('')}</div>`);
  await page.locator('.timeline').evaluate((timeline) => { timeline.scrollTop = timeline.scrollHeight; });
  return page;
}

/** Scrolls a page three times, slowed, and prints what came of it. Frames come every 16.7 ms: 50 are three of them. */
async function figures(context, page, what) {
  const cdp = await context.newCDPSession(page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  const runs = [];
  for (let run = 0; run < 3; run += 1) runs.push(await scrolled(page));
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  const of = (take) => runs.map(take).join(', ');
  console.log(`figure: scrolling ${what}, ${SLOWER} times slower: of ${of((f) => f.length)} frames`
    + ` the slowest ${of((f) => Math.round(f[0]))} ms, 99 of 100 under ${of((f) => Math.round(f[Math.floor(f.length / 100)]))} ms,`
    + ` over 50 ms ${of((f) => f.filter((ms) => ms > 51).length)}`);
}

test(`${MANY} messages are read, opened and scrolled`, async () => {
  const relay = await Relay.start({ args: ['--appends', '1000000'] });
  const ann = await Browser.start();
  try {
    const link = await relay.room('Archive');
    const lines = Array.from({ length: MANY }, (_, i) => `message ${i} of many: ${'lorem ipsum dolor sit amet '.repeat(i % 5)}`);
    const sent = clock();
    const send = new Program(['send', link, '--as', 'Bob', '--wait', '10m'], { input: `${lines.join('\n')}\n` });
    assert.equal((await send.ended).code, 0, send.errors);
    figure(`${MANY} messages sent by the terminal`, clock() - sent);
    const page = await ann.open(link);
    await page.getByLabel('Your name here').fill('Ann');
    const clicked = clock();
    await page.getByRole('button', { name: 'Join' }).click();
    ann.context.setDefaultTimeout(900_000);
    await reads(page, `message ${MANY - 1} of`);
    figure(`${MANY} messages read for the first time`, clock() - clicked);
    await figures(ann.context, page, 'this room');
    const drawn = await page.locator('.msg').count();
    assert.ok(drawn > 5 && drawn < 200, `${drawn} of ${MANY} messages stand in the page`);
    assert.equal(await message(page, `message ${MANY - 1} of`).count(), 0, 'it went up');
    await shot(page, 'large');
    const still = await bare(ann.context, Math.min(MANY, 5_000));
    await figures(ann.context, still, 'rows without a program');
    await still.close();
    await page.bringToFront();
    // Up to the oldest that is in memory, and older ones come.
    await page.locator('.timeline').evaluate((timeline) => { timeline.scrollTop = 0; });
    const above = () => page.locator('.timeline').evaluate((timeline) => timeline.scrollTop > 500);
    await until(async () => await above() || await message(page, 'message 0 of').count() > 0, 'older messages stand above');
    const end = clock();
    await page.getByRole('button', { name: 'To the newest' }).click();
    await reads(page, `message ${MANY - 1} of`);
    figure(`${MANY} messages: from far above to the newest`, clock() - end);
    // Another page: the same address with another link behind the # would only tell the one that is there.
    await page.goto('about:blank');
    await notes(ann.context, { joined: `message ${MANY - 1} of` });
    const opened = clock();
    await page.goto(link, { waitUntil: 'commit' });
    await reads(page, `message ${MANY - 1} of`);
    figure(`${MANY} messages: page and room opened again`, (await noted(page)).joined);
    await say(page, 'one more');
    await becomes(page, 'one more', 'kept');
    figure(`${MANY} messages: the same, and a message written at once is kept`, clock() - opened);
    await visit(page, 'Settings');
    const back = clock();
    await enter(page, 'Archive');
    await reads(page, 'one more');
    figure(`${MANY} messages: room opened`, clock() - back);
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
});
