// The worker's beginning: fetches its program, checks it, starts it. Called `stretch`, it does one job and is ended.

import init, * as program from './worker.js';

const OWN = import.meta.url;
const only = (url) => {
  if (url !== OWN) throw new TypeError('this worker starts no such script');
  return url;
};
const policy = globalThis.trustedTypes?.createPolicy('estoile', { createScriptURL: only }) ?? { createScriptURL: only };

/** A further worker of the same code: for what takes a second and 64 MiB, and may be stopped. */
const spawn = () => new Worker(policy.createScriptURL(OWN), { type: 'module', name: 'stretch' });

if (self.name === 'stretch') {
  self.onmessage = async ({ data: [compiled, job] }) => {
    try {
      await init({ module_or_path: compiled });
      self.postMessage(program.stretch(job));
    } catch (error) {
      // A sentence is an answer; anything else is a fault, which whoever started this worker hears of.
      if (typeof error === 'string') self.postMessage(error);
      else
        setTimeout(() => {
          throw error;
        });
    }
  };
} else {
  const early = [];
  self.onmessage = (event) => early.push(event);
  try {
    await init({
      module_or_path: fetch(new URL('./worker_bg.wasm', OWN), { integrity: '{{sri:worker_bg.wasm}}' }),
    });
    program.start(spawn);
    for (const event of early) self.onmessage(event);
  } catch (error) {
    console.error(error);
    const why =
      'A part of Estoile did not arrive whole: the connection broke, or what came is not what the page was made with. Load the page again.';
    self.postMessage(JSON.stringify([{ Stage: { Unable: why } }]));
  }
}
