// The native SDK as one end of a call: tests/sdk/peer.cpp in a process of its own.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { repository } from './paths.mjs';
import { until } from './test.mjs';
import { makeToken } from './tokens.mjs';

const PROGRAM = process.env.ATM0S_SDK_PEER ?? fileURLToPath(new URL('build/release/bin/sdk_peer', repository));

export class CppPeer {
  // publish: [name, codec, file, frames per second]; view: [peer, name, codec, file]
  constructor(env, name, { publish = [], view = [], through = [], server = env.server } = {}) {
    const command = [...through, PROGRAM, '--url', server.url, '--room', env.room, '--peer', name, '--token',
      makeToken({ room: env.room, peer: name }),
      ...publish.flatMap((one) => ['--publish', ...one.map(String)]), ...view.flatMap((one) => ['--view', ...one])];
    this.name = name;
    this.child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.said = [];
    this.errors = [];
    createInterface({ input: this.child.stdout }).on('line', (line) => this.said.push(JSON.parse(line)));
    createInterface({ input: this.child.stderr }).on('line', (line) => this.errors.push(line));
    this.ended = new Promise((resolve) => this.child.once('close', (code, signal) => resolve(signal ?? code)));
    this.child.once('error', (error) => this.errors.push(error.message));
    env.peers.push(this);
    env.contexts.push({ close: async () => this.child.kill('SIGKILL') });
  }

  static async join(env, name, options) {
    const peer = new CppPeer(env, name, options);
    await peer.says('connected');
    return peer;
  }

  // The newest line that has that key, once there is one that fits.
  says(key, fits = () => true, seconds = 15) {
    return until(`${this.name} says ${key}`, () => {
      if (this.child.exitCode !== null) throw new Error(`${this.name} has ended: ${this.errors.slice(-5).join('\n')}`);
      return this.said.findLast((line) => key in line && fits(line));
    }, seconds);
  }

  go() { this.child.stdin.write('go\n'); }

  // Ends it; its files are complete then. Gives what it said of each stream that it viewed, by name.
  async stop() {
    this.child.stdin.end();
    const code = await this.ended;
    if (code !== 0) throw new Error(`${this.name} ended with ${code}: ${this.errors.slice(-5).join('\n')}`);
    return Object.fromEntries(this.said.filter((line) => line.viewed).map((line) => [line.viewed, line]));
  }

  async evidence() {
    return [...this.said.map((line) => JSON.stringify(line)), ...this.errors].join('\n');
  }
}
