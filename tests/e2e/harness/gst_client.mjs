// GStreamer's webrtcbin as a publisher or a player: gst_client.py in a process of its own.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './test.mjs';

const PROGRAM = fileURLToPath(new URL('gst_client.py', import.meta.url));

export class GstClient {
  constructor(env, mode, token) {
    const endpoint = `${env.server.url}/${mode === 'publish' ? 'whip' : 'whep'}/endpoint`;
    // Debian's Python, for which Debian's GStreamer is.
    this.child = spawn('/usr/bin/python3', [PROGRAM, mode, endpoint, token], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.name = 'GStreamer';
    this.said = [];
    this.errors = [];
    createInterface({ input: this.child.stdout }).on('line', (line) => this.said.push(JSON.parse(line)));
    createInterface({ input: this.child.stderr }).on('line', (line) => this.errors.push(line));
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.once('error', (error) => this.errors.push(error.message));
    env.peers.push(this);
    env.contexts.push({ close: async () => this.child.kill('SIGKILL') });
  }

  // The newest line that has that key, once there is one that fits.
  says(key, fits = () => true, seconds = 15) {
    return until(`GStreamer says ${key}`, () => {
      if (this.child.exitCode !== null) throw new Error(`GStreamer has ended: ${this.errors.slice(-5).join('\n')}`);
      return this.said.findLast((line) => key in line && fits(line[key]));
    }, seconds);
  }
  // More pictures and more sound from now on.
  async flows() {
    const { video, audio } = await this.says('video');
    await this.says('video', (now) => now >= video + 8);
    await this.says('audio', (now) => now >= audio + 8);
  }
  async stop() {
    this.child.stdin.write('\n');
    await this.ended;
    return this.said.at(-1).ended;
  }

  async evidence() {
    return [...this.said.map((line) => JSON.stringify(line)), ...this.errors].join('\n');
  }
}
