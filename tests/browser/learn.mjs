// Writes down what a first visit runs: `cargo xtask web --learn` calls it with a bundle that is not split.
//
// A browser compiles a function when it is called for the first time, and its tracing says which one.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { Browser, Program, Relay } from './support.mjs';
import { line } from './slow.mjs';
import { becomes, field, inRoom, join as enters, reads, say } from './person.mjs';

const { ESTOILE_NAMES: NAMES, ESTOILE_LISTS: LISTS } = process.env;
/** Whether the lists keep what they have: a second compiler makes some functions that the first one does not. */
const MORE = process.argv.includes('more');
/** No visit is quite like another: what happens while one waits depends on how long that is. */
const ROUNDS = 3;
/** How long somebody looks at a room, in milliseconds. */
const LINGER = 8_000;
/** A line on which every state can be seen. */
const SLOW = { bits: 4_000_000, delay: 300 };
const PASSPHRASE = 'copper lantern orbit velvet harbour';
/** What a list calls a function that has no name: it stays in the first part anyhow. */
const NAMELESS = '-';

/** Lets a browser do this and gives back what its threads of this name called for the first time. */
async function called(browser, act) {
  const cdp = await browser.context.newCDPSession(await browser.context.newPage());
  const events = [];
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const categories = ['v8.wasm', 'disabled-by-default-v8.wasm.detailed', '__metadata'];
  await cdp.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: categories } });
  await act();
  const ended = new Promise((done) => cdp.once('Tracing.tracingComplete', done));
  await cdp.send('Tracing.end');
  await ended;
  const threads = new Map(events.filter((e) => e.name === 'thread_name').map((e) => [`${e.pid} ${e.tid}`, e.args.name]));
  const compiled = events.filter((e) => e.name === 'wasm.CompileLazy' && e.args?.func_index !== undefined);
  return (thread) => compiled
    .filter((e) => threads.get(`${e.pid} ${e.tid}`)?.startsWith(thread))
    .map((e) => e.args.func_index);
}

async function visits(relay, slow) {
  const [link, other] = [await relay.room('Tea'), await relay.passphraseRoom('Words', PASSPHRASE)];
  const [ann, bea] = [await Browser.start(), await Browser.start()];
  try {
    // Somebody is there, reads, and answers.
    const friend = await enters(bea, link, 'Bea');
    return await called(ann, async () => {
      const empty = await ann.open(relay.url);
      await empty.getByRole('button').first().waitFor();
      await empty.close();
      let page = await enters(ann, link, 'Ann');
      await say(page, 'hello from the page');
      await becomes(page, 'hello from the page', 'seen');
      await field(friend).pressSequentially('hello Ann', { delay: 100 });
      await friend.getByRole('button', { name: 'Send' }).click();
      await reads(page, 'hello Ann');
      const bob = new Program(['send', link, '--as', 'Bob', 'hello **back**, https://example.org', '--wait', '1m']);
      assert.equal((await bob.ended).code, 0, bob.errors);
      await reads(page, 'hello');
      await page.close();
      page = await ann.open(link);
      await inRoom(page);
      await reads(page, 'back');
      await page.close();
      page = await enters(ann, other, 'Ann', PASSPHRASE);
      await page.close();
      // By a slow line: what is shown while one waits belongs to a first visit.
      page = await enters(ann, (await relay.room('Far')).replace(relay.url, slow.url), 'Ann');
      await say(page, 'hello from far');
      await becomes(page, 'hello from far', 'kept');
      await page.close();
      // The page's clock ticks, each time it says what is read, and what was told goes away; others come and go.
      page = await enters(ann, link.replace(relay.url, slow.url), 'Ann');
      await friend.close();
      await page.waitForTimeout(LINGER);
      await page.close();
    });
  } finally {
    await ann.end();
    await bea.end();
  }
}

/** The lists of these calls, by name: what was called in some place of a module, and what in none; with another compiler's modules. */
function list(indices, file) {
  const names = readFileSync(join(NAMES, `${file}.names`), 'utf8').trim().split('\n');
  const found = new Set(indices.map((at) => names[at]).filter((name) => name !== undefined && name !== NAMELESS));
  assert.ok(found.size > 100, `${file}: ${found.size} functions were called`);
  const kept = (list) => (MORE ? readFileSync(join(LISTS, list), 'utf8').trim().split('\n') : []);
  const write = (list, all) => writeFileSync(join(LISTS, list), [...all].sort().join('\n') + '\n');
  const early = new Set([...kept(`${file}.txt`), ...found]);
  const late = new Set([...kept(`${file}-later.txt`), ...names].filter((name) => name !== NAMELESS && !early.has(name)));
  write(`${file}.txt`, early);
  write(`${file}-later.txt`, late);
  console.log(`${file}: ${found.size} of ${names.length} functions run in a first visit; lists of ${early.size} and ${late.size}`);
}

const relay = await Relay.start();
const slow = await line(relay.url, SLOW);
try {
  const all = [];
  for (let round = 0; round < ROUNDS; round += 1) all.push(await visits(relay, slow));
  list(all.flatMap((of) => of('CrRendererMain')), 'page');
  list(all.flatMap((of) => of('DedicatedWorker')), 'worker');
} finally {
  await Promise.allSettled([slow.end(), relay.end()]);
}
