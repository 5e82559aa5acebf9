// The second part of a program: what a first visit does without. It is fetched when the first part has settled, or at once,
// while all waits, when the program can't go on without it.

/** How long line and processor belong to what a first visit needs, in milliseconds: slow ones need three seconds. */
const FIRST = 4_000;
/** Waits between attempts, in milliseconds: the first one, and the longest. */
const AGAIN = 4_000;
const LONGEST = 60_000;

/**
 * Gives the program its `estoileLater`. `lost` is told when the second part is needed and can't be had. The answer is a function
 * that takes what the first part exports.
 */
export function later(url, integrity, lost) {
  let first;
  let there = false;
  let told = false;
  const join = (module) => {
    if (there) return;
    new WebAssembly.Instance(module, { first });
    there = true;
  };
  const quietly = async (wait) => {
    if (there) return;
    try {
      join(await WebAssembly.compileStreaming(fetch(url, { integrity })));
    } catch {
      setTimeout(quietly, wait, Math.min(2 * wait, LONGEST));
    }
  };
  globalThis.estoileLater = () => {
    try {
      join(new WebAssembly.Module(now(url)));
    } catch (error) {
      // Whatever else runs meanwhile fails by the same, and is told by the same.
      if (!told) lost(error);
      told = true;
      throw error;
    }
  };
  return (exports) => {
    first = exports;
    setTimeout(quietly, FIRST, AGAIN);
  };
}

/**
 * The bytes of a file, while all waits. A window has no other way to bytes than as characters; and no browser checks an integrity
 * here, as it does where the file comes quietly.
 */
function now(url) {
  const ask = new XMLHttpRequest();
  ask.open('GET', url, false);
  const worker = typeof document === 'undefined';
  if (worker) ask.responseType = 'arraybuffer';
  else ask.overrideMimeType('text/plain; charset=x-user-defined');
  ask.send();
  if (ask.status !== 200) throw new Error(`${url} did not come: ${ask.status}`);
  if (worker) return ask.response;
  const text = ask.responseText;
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}
