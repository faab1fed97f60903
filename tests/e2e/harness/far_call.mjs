// Two pages in a call, each on a host of its own, whose breaks are measured (page/arrivals.js): ann's network is what a
// case interrupts or changes, ben's stays. Times are milliseconds since 1970.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { seesAndHears } from './peer.mjs';
import { pageFolder } from './paths.mjs';

const ARRIVALS = fileURLToPath(new URL('arrivals.js', pageFolder));
const CHECKS = fileURLToPath(new URL('checks.py', import.meta.url));
const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';

// With ann's host, and `ways`: what each of them gets of the other, {who, kind, peer, id}.
export async function openFarCall(env) {
  const [ann, ben] = await env.openFarPages('ann', 'ben');
  await Promise.all([ann.connect(BOTH), ben.connect(BOTH)]);
  const ways = [];
  for (const [peer, other] of [[ann, ben], [ben, ann]]) {
    const [audio, video] = await seesAndHears(peer, other);
    await peer.page.addScriptTag({ path: ARRIVALS });
    await peer.lab('watchArrivals', audio, video);
    ways.push({ peer, kind: 'audio', id: audio, name: `${peer.name} hears ${other.name}` },
      { peer, kind: 'video', id: video, name: `${peer.name} sees ${other.name}` });
  }
  return { ann, ben, ways, host: env.far.hosts[0], network: env.far.network };
}

// The STUN requests that arrive at the server's host from a client's: {at, address, port}, a list that grows.
export async function watchChecks(env, host) {
  const [program, ...args] = [...env.far.network.front, '/usr/bin/python3', CHECKS, host.device];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  env.contexts.push({ close: async () => child.kill() });
  const checks = [];
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`checks.py ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const check = JSON.parse(line);
      if (check.at) checks.push(check);
      else resolve(); // its first line
    });
  });
  return checks;
}
