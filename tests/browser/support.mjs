// A real relay, the real program and a real Chromium, each with an end. A page that breaks a rule of its own (a
// complaint on the console, a violation of the content security policy or of Trusted Types) fails the test it is in.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const ROOT = resolve(import.meta.dirname ?? '.', '../..');
const PROGRAM = process.env.ESTOILE_PROGRAM ?? join(ROOT, 'target/debug/estoile');
export const BUNDLE = process.env.ESTOILE_BUNDLE ?? join(ROOT, 'target/web');
const CHROMIUM = process.env.ESTOILE_CHROMIUM ?? '/usr/bin/chromium';
/** Long enough for a machine that does much else; a test that works never waits for it. */
export const PATIENCE = 45_000;

/** Resolves when `ask` gives something true; asks again whenever a little time went by. */
export async function until(ask, what) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const got = await ask();
    if (got) return got;
    assert.ok(Date.now() < end, `it did not happen in time: ${what ?? ask}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

/** The program with these arguments: its lines as they come, and its end. */
export class Program {
  constructor(args, { input, env = {} } = {}) {
    this.lines = [];
    this.errors = '';
    this.child = spawn(PROGRAM, args, { env: { ...process.env, ESTOILE_LOG: 'warn', NO_COLOR: '1', ...env } });
    this.ended = new Promise((done) => this.child.on('exit', (code, signal) => done({ code, signal })));
    createInterface({ input: this.child.stdout }).on('line', (line) => this.lines.push(line));
    this.child.stderr.on('data', (bytes) => { this.errors += bytes; });
    this.child.stdin.on('error', () => {});
    if (input === undefined) this.child.stdin.end();
    else this.child.stdin.end(input);
  }

  /** The first line that `test` likes. */
  async line(test, what) {
    return until(() => {
      const found = this.lines.find(test);
      if (!found && this.child.exitCode !== null) assert.fail(`it ended with ${this.child.exitCode}: ${this.errors}`);
      return found;
    }, what ?? 'a line');
  }

  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null) this.child.kill(signal);
    return this.ended;
  }
}

/** Runs the program to its end; its standard output. */
export async function run(args, options) {
  const program = new Program(args, options);
  const { code } = await program.ended;
  assert.equal(code, 0, `estoile ${args[0]} ${args[1] ?? ''}: ${program.errors}`);
  return program.lines.join('\n');
}

/** A relay in a folder of its own, serving the bundle. */
export class Relay {
  static async start({ web = BUNDLE, args = [], folder, address = '127.0.0.1:0' } = {}) {
    const relay = new Relay();
    relay.folder = folder ?? await mkdtemp(join(tmpdir(), 'estoile-relay-'));
    relay.args = ['serve', '--data', relay.folder, '--web', web, ...args];
    await relay.go(address);
    return relay;
  }

  async go(address) {
    this.program = new Program([...this.args, '--listen', address]);
    const line = await this.program.line((l) => l.startsWith('listening on '), 'the relay listens');
    this.url = line.slice('listening on '.length).trim();
  }

  async kill() {
    await this.program.stop('SIGKILL');
  }

  /** Starts it again where it was. */
  async again() {
    await this.go(new URL(this.url).host);
  }

  /** A fresh quick room's link. */
  async room(name = 'kitchen', extra = []) {
    return (await run(['room', 'new', '--relay', this.url, '--name', name, ...extra])).trim();
  }

  /** A fresh passphrase room's link. */
  async passphraseRoom(name, passphrase) {
    const args = ['room', 'new', '--relay', this.url, '--name', name, '--passphrase'];
    return (await run(args, { env: { ESTOILE_ROOM_PASSPHRASE: passphrase } })).trim();
  }

  async end() {
    await this.program.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Somebody at a terminal, with a data folder of their own. */
export class Terminal {
  static async start() {
    const terminal = new Terminal();
    terminal.folder = await mkdtemp(join(tmpdir(), 'estoile-terminal-'));
    return terminal;
  }

  get env() {
    return { ESTOILE_PASSPHRASE: 'correct horse battery' };
  }

  /** Runs a command on the folder; its standard output. */
  run(args, options = {}) {
    return run([...args, '--data', this.folder], { ...options, env: this.env });
  }

  /** A command that goes on. */
  begin(args) {
    return new Program([...args, '--data', this.folder], { env: this.env });
  }

  /**
   * What `estoile chat` shows once it shows this text, which somebody says while it runs; none where there is no tmux to hold
   * a terminal.
   */
  async screen(args, text, say) {
    const tmux = (...words) => execFileSync('tmux', ['-L', basename(this.folder), ...words], {
      env: { ...process.env, ...this.env, ESTOILE_LOG: 'error', TERM: 'xterm-256color' },
    }).toString();
    try {
      tmux('-V');
    } catch {
      return undefined;
    }
    tmux('new-session', '-d', '-x', '84', '-y', '34', PROGRAM, 'chat', ...args, '--data', this.folder);
    const shows = (wanted) => until(() => {
      const shown = tmux('capture-pane', '-p');
      return shown.includes(wanted) ? shown : undefined;
    }, `the terminal shows ${wanted}`);
    try {
      await shows('Type a message');
      await say();
      return await shows(text);
    } finally {
      tmux('kill-server');
    }
  }

  async end() {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Chromium with a profile on the disk, so that it can be killed and come back. */
export class Browser {
  static async start({ profile, context = {}, args = [] } = {}) {
    const browser = new Browser();
    browser.profile = profile ?? await mkdtemp(join(tmpdir(), 'estoile-browser-'));
    browser.options = context;
    browser.context = await chromium.launchPersistentContext(browser.profile, {
      executablePath: CHROMIUM,
      headless: true,
      args: ['--no-sandbox', '--disable-gpu', ...args],
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
      ...context,
    });
    browser.context.setDefaultTimeout(PATIENCE);
    await browser.context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    browser.complaints = [];
    browser.context.on('page', (page) => browser.watch(page));
    browser.context.pages().forEach((page) => browser.watch(page));
    return browser;
  }

  watch(page) {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => {
      const { protocol, host } = new URL(request.url());
      if (['http:', 'https:'].includes(protocol)) this.hosts = (this.hosts ?? new Set()).add(host);
    });
  }

  /** Killed, as by a power cut, and started again with what was on its disk. */
  async killed() {
    const own = (pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`--user-data-dir=${this.profile}`);
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        if (own(pid)) process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It ended by itself, or is none of ours to look at.
      }
    }
    await this.context.close().catch(() => {});
    await rm(join(this.profile, 'SingletonLock'), { force: true });
    const again = await Browser.start({ profile: this.profile, context: this.options });
    again.complaints.push(...this.complaints);
    return again;
  }

  /** A page at an address. */
  async open(url) {
    const page = await this.context.newPage();
    await page.goto(url);
    return page;
  }

  /** Ends it, and fails when a page complained of something that the test did not expect. */
  async end({ expect = [] } = {}) {
    await this.context.close();
    await rm(this.profile, { recursive: true, force: true });
    const left = this.complaints.filter((text) => !expect.some((pattern) => pattern.test(text)));
    assert.deepEqual(left, [], 'pages complained');
  }
}

/** Where screenshots go, for people to look at. */
export async function shot(page, name) {
  const folder = process.env.ESTOILE_SHOTS ?? join(ROOT, 'target/shots');
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** A page and a terminal beside it, in one picture. */
export async function beside(page, shown, name) {
  const picture = (await page.screenshot()).toString('base64');
  const frame = await page.context().newPage();
  await frame.setViewportSize({ width: 2080, height: 800 });
  await frame.setContent('<img style="position:absolute;inset:0 auto auto 0"><pre style="position:absolute;left:1296px;top:0;margin:0;padding:16px;inset-block:0;right:0;background:#0c101b;color:#e9ecf5;font:14px/1.5 DejaVu Sans Mono,monospace"></pre>');
  await frame.locator('pre').evaluate((pre, text) => { pre.textContent = text; }, shown);
  await frame.locator('img').evaluate((img, data) => { img.src = `data:image/png;base64,${data}`; return img.decode(); }, picture);
  await shot(frame, name);
  await frame.close();
}
