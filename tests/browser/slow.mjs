// A slow machine behind a slow line: what the measures are taken on.
import { readFileSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { Transform } from 'node:stream';
import { Worker } from 'node:worker_threads';

/** A line of so many bits a second and so many milliseconds each way in front of a relay; its address. */
export async function line(url, { bits = 10_000_000, delay = 20 } = {}) {
  const { hostname, port } = new URL(url);
  const sockets = new Set();
  // All connections share the line, and what was asked for first comes first.
  let free = 0;
  const throttle = () => new Transform({
    transform(bytes, _, done) {
      const now = performance.now();
      free = Math.max(free, now) + (bytes.length * 8000) / bits;
      setTimeout(() => done(null, bytes), free - now + delay);
    },
  });
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => { near.destroy(); far.destroy(); });
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far);
    far.pipe(throttle()).pipe(near);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    end: () => new Promise((done) => { server.close(done); sockets.forEach((socket) => socket.destroy()); }),
  };
}

/**
 * Lets a browser's pages, their workers with them, run a part of the time alone: as on a machine that is `times` slower. They run
 * a millisecond by turns; with longer turns each word between two threads would wait for the next turn, which on no machine it
 * does. Changing turns takes time, too: with this factor a page counts `times` slower, within a tenth or two.
 */
export function slowed(browser, times) {
  const mine = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return words.includes('--type=renderer') && words.includes(browser.profile);
    } catch {
      return false;
    }
  }).map(Number);
  const program = `
    const { workerData, parentPort } = require('node:worker_threads');
    let going = true;
    parentPort.on('message', () => { going = false; });
    const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    const tell = (signal) => workerData.pids.forEach((pid) => { try { process.kill(pid, signal); } catch {} });
    const turn = () => {
      const end = Date.now() + 200;
      while (Date.now() < end) { tell('SIGSTOP'); wait(1.4 * (workerData.times - 1)); tell('SIGCONT'); wait(1); }
      if (going) setTimeout(turn, 0); else parentPort.close();
    };
    turn();`;
  const worker = new Worker(program, { eval: true, workerData: { pids: mine(), times } });
  const ended = new Promise((done) => worker.on('exit', done));
  return () => { worker.postMessage('end'); return ended; };
}
