// The worker's beginning: starts the program that it is sent. Called `stretch`, it does one job and is ended.

import init, * as program from './worker.js';
import { later } from './later.js';

const OWN = import.meta.url;
const only = (url) => {
  if (url !== OWN) throw new TypeError('this worker starts no such script');
  return url;
};
const policy = globalThis.trustedTypes?.createPolicy('estoile', { createScriptURL: only }) ?? { createScriptURL: only };

/** A further worker of the same code: for what takes a second and 64 MiB, and may be stopped. */
const spawn = () => new Worker(policy.createScriptURL(OWN), { type: 'module', name: 'stretch' });

/** Says that the program can't go on. */
function broken(error) {
  console.error(error);
  const why =
    'A part of Estoile did not arrive whole: the connection broke, or what came is not what the page was made with. Load the page again.';
  self.postMessage(JSON.stringify([{ Stage: { Unable: why } }]));
}

const settled = later(new URL('./worker_later.wasm', OWN).href, '{{sri:worker_later.wasm}}', broken);

async function stretch({ data: [compiled, job] }) {
  try {
    settled(await init({ module_or_path: compiled }));
    self.postMessage(program.stretch(job));
  } catch (error) {
    // A sentence is an answer; anything else is a fault, which whoever started this worker hears of.
    if (typeof error === 'string') self.postMessage(error);
    else
      setTimeout(() => {
        throw error;
      });
  }
}

async function begin(compiled, early) {
  try {
    settled(await init({ module_or_path: compiled }));
    program.start(spawn);
    for (const event of early) self.onmessage(event);
  } catch (error) {
    broken(error);
  }
}

if (self.name === 'stretch') {
  self.onmessage = stretch;
} else {
  const early = [];
  self.onmessage = (event) => {
    if (event.data instanceof WebAssembly.Module) begin(event.data, early);
    else early.push(event);
  };
  self.postMessage('up');
}
