// Starts the worker and the page, both at once; keeps offline start and its updates.
//
// Between the page and this file go events on `window`: `estoile:newer` (a newer version is ready), `estoile:reload` (the
// person wants it), `estoile:erased` (all is erased: take the cached files out, too, and begin again).

import { later } from './later.js';

const here = (name) => new URL(name, import.meta.url);
const WORKER = here('./work.js').href;
const OFFLINE = new URL('/sw.js', location.origin).href;

// The one policy of this page: scripts that it starts are these two.
const only = (url) => {
  if (url !== WORKER && url !== OFFLINE) throw new TypeError('this page starts no such script');
  return url;
};
const policy = globalThis.trustedTypes?.createPolicy('estoile', { createScriptURL: only }) ?? { createScriptURL: only };

const boot = document.getElementById('boot');
const BROKEN = 'Estoile did not arrive whole: the connection broke, or what came is not what the page was made with.';

/** Says on the first screen that it can't go on. */
function unable(what, again) {
  const line = document.getElementById('boot-what');
  if (!boot?.isConnected || !line) return;
  boot.dataset.state = 'unable';
  line.setAttribute('role', 'alert');
  line.textContent = what;
  if (!again) return;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button primary';
  button.textContent = 'Load again';
  button.addEventListener('click', () => location.reload());
  line.after(button);
}

/** What this browser lacks; nothing: all is there. */
function lacking() {
  if (!globalThis.isSecureContext) {
    return 'This page came over a connection that is not protected. Open it with https://, or on the machine itself.';
  }
  const old = 'This browser is too old for Estoile, or a setting holds it back: ';
  const advice = '. Update it, allow that for this page, or use Estoile in a terminal.';
  if (typeof WebAssembly !== 'object') return `${old}it runs no WebAssembly${advice}`;
  if (typeof Worker !== 'function') return `${old}it starts no workers${advice}`;
  if (typeof crypto?.subtle !== 'object') return `${old}it has no cryptography${advice}`;
  if (typeof indexedDB === 'undefined') return `${old}it has no store for pages${advice}`;
  if (!navigator.locks) return `${old}its tabs can't know of each other${advice}`;
  return '';
}

/** A module under its way here, compiled as it comes. */
function program(name, integrity) {
  const coming = WebAssembly.compileStreaming(fetch(here(name), { integrity }));
  // Whoever waits for it hears of it.
  coming.catch(() => {});
  return coming;
}

async function begin() {
  // The marks are for whoever measures.
  performance.mark('begun');
  // All at once: the worker's thread, its program and the page's own. They wait for each other only where they must.
  const worker = new Worker(policy.createScriptURL(WORKER), { type: 'module', name: 'estoile' });
  const early = [];
  const up = new Promise((done, failed) => {
    worker.onerror = failed;
    worker.onmessage = (first) => {
      worker.onmessage = (event) => early.push(event.data);
      done(first);
    };
  });
  up.catch(() => {});
  const own = program('./page_bg.wasm', '{{sri:page_bg.wasm}}');
  const other = program('./worker_bg.wasm', '{{sri:worker_bg.wasm}}');
  const page = await import('./page.js');
  const settled = later(here('./page_later.wasm').href, '{{sri:page_later.wasm}}', (error) => {
    console.error(error);
    document.body.replaceChildren(boot);
    unable(BROKEN, true);
  });
  const exports = await page.default({ module_or_path: await own });
  settled(exports);
  // A thread's beginning goes by way of this one: the page builds its screen when the worker is there.
  await up;
  performance.mark('up');
  worker.postMessage(await other);
  page.start(worker, early);
  performance.mark('started');
}

/** The cached files, for starting without a network. They protect from nothing: see sw.js. */
async function offline() {
  const root = document.documentElement;
  if (!navigator.serviceWorker) {
    root.dataset.offline = 'no';
    return;
  }
  try {
    const kept = await navigator.serviceWorker.register(policy.createScriptURL(OFFLINE), {
      scope: '/',
      updateViaCache: 'none',
    });
    root.dataset.offline = 'ready';
    const newer = () => {
      // Without a controller this is the first one, and nothing is newer than what is shown.
      if (kept.waiting && navigator.serviceWorker.controller) dispatchEvent(new CustomEvent('estoile:newer'));
    };
    newer();
    kept.addEventListener('updatefound', () => kept.installing?.addEventListener('statechange', newer));
    addEventListener('estoile:reload', () => {
      if (!kept.waiting) {
        location.reload();
        return;
      }
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
      kept.waiting.postMessage('take');
    });
  } catch {
    // With a certificate that the browser does not know there is no offline start, and everything else works.
    root.dataset.offline = 'no';
    addEventListener('estoile:reload', () => location.reload());
  }
}

addEventListener('estoile:erased', async () => {
  const kept = (await navigator.serviceWorker?.getRegistrations?.().catch(() => [])) ?? [];
  await Promise.all(kept.map((one) => one.unregister()));
  const names = (await globalThis.caches?.keys().catch(() => [])) ?? [];
  await Promise.all(names.map((name) => caches.delete(name)));
  location.replace('/');
});

const lacks = lacking();
if (lacks) {
  unable(lacks, false);
} else {
  begin().then(offline, (error) => {
    console.error(error);
    unable(BROKEN, true);
  });
}
