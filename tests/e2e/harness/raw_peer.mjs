// A page without an SDK (page/raw.js) on a host of its own (harness/namespaces.mjs), and the facts about its media that
// the cases about bandwidth ask for. Times are milliseconds since 1970, rates bit/s.
import { readFile } from 'node:fs/promises';
import { findChromium, startBrowser } from './browser.mjs';
import { SERVER_ADDRESS } from './namespaces.mjs';
import { pageFolder } from './paths.mjs';
import { until } from './test.mjs';
import { makeToken } from './tokens.mjs';

// The page is not served: the hosts reach nobody but the server. On localhost it is a secure context.
const PAGE = 'http://localhost/';
const FILES = { '/': 'raw.html', '/facts.js': 'facts.js', '/raw.js': 'raw.js', '/raw_worker.js': 'raw_worker.js' };
const TYPES = { html: 'text/html', js: 'text/javascript' };

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A host's browser; each peer is a page of it.
export async function openBrowser(host) {
  return startBrowser([], await host.wrap(findChromium()));
}

export class RawPeer {
  static async open(browser, host, { room, name, server }) {
    const context = await browser.newContext({ permissions: ['local-network-access'] });
    const page = await context.newPage();
    const peer = Object.assign(new RawPeer(), { context, page, host, room, name, server, console: [] });
    page.on('console', (message) => peer.console.push(message.text()));
    page.on('pageerror', (error) => peer.console.push('uncaught: ' + error.message));
    await page.route(PAGE + '**', async (route) => {
      const file = FILES[new URL(route.request().url()).pathname];
      if (!file) return route.fulfill({ status: 404 });
      return route.fulfill({ contentType: TYPES[file.split('.').pop()], body: await readFile(new URL(file, pageFolder)) });
    });
    await page.goto(PAGE);
    return peer;
  }

  raw(name, ...args) {
    return this.page.evaluate(([name, args]) => globalThis.raw[name](...args), [name, args]);
  }

  async join(options = {}) {
    await this.raw('join', { url: this.server.url, room: this.room, peer: this.name, through: { from: SERVER_ADDRESS,
      to: this.host.address }, token: makeToken({ room: this.room, peer: this.name }), ...options });
    if (options.senders) this.page.evaluate(() => { raw.sampleSent(); });
    return this;
  }

  close() { return this.context.close(); }

  view(id, peer, stream) { return this.raw('view', id, peer, stream); }

  request(name, data) { return this.raw('request', name, data); }

  // [[at, width], …] of the frames decoded since then.
  frames(id, since = 0) {
    return this.page.evaluate(([id, since]) => (raw.frames[id] ?? []).filter(([at]) => at >= since), [id, since]);
  }

  keyFrames(id, since = 0) {
    return this.page.evaluate(([id, since]) => (raw.keys[id] ?? []).filter(({ at }) => at >= since), [id, since]);
  }

  events(suffix) {
    return this.page.evaluate((suffix) => raw.events.filter(({ event }) => event.endsWith(suffix)), suffix);
  }

  // The first frame of that width since then, and how long it took.
  async firstFrame(id, since, width, seconds = 10) {
    const find = async () => (await this.frames(id, since)).find((frame) => !width || frame[1] === width);
    const frame = await until(`${this.name} sees ${id}${width ? ` with a width of ${width}` : ''}`, find, seconds);
    return frame[0] - since;
  }

  // When the last frame of another width came: from then on it has been this width alone. Nothing: never.
  async settledAt(id, since, isRight) {
    const frames = await this.frames(id, since);
    if (frames.length === 0 || !isRight(frames.at(-1)[1])) return null;
    const wrong = frames.findLastIndex((frame) => !isRight(frame[1]));
    return frames[wrong + 1][0] - since;
  }

  // The longest time without a decoded frame between two instants, in ms.
  async longestGap(id, since, to = Date.now()) {
    const times = (await this.frames(id, since)).map((frame) => frame[0]).filter((at) => at < to);
    let longest = 0;
    [...times, to].reduce((before, at) => { longest = Math.max(longest, at - before); return at; }, since);
    return longest;
  }

  samples(since = 0) {
    return this.page.evaluate((since) => raw.samples.filter(({ at }) => at >= since), since);
  }

  // What all its video took between two instants, headers and padding included.
  async sentRate(since, to = Date.now()) {
    const samples = (await this.samples(since)).filter(({ at }) => at <= to);
    const bytes = ({ layers }) => Object.values(layers).reduce((sum, layer) => sum + layer.bytes, 0);
    const first = samples[0], last = samples.at(-1);
    return (bytes(last) - bytes(first)) * 8000 / (last.at - first.at);
  }

  async evidence() {
    const state = await this.page.evaluate(async () => ({ sent: await raw.sent(), received: await raw.received(),
      events: raw.events.slice(-30), state: raw.connection.connectionState })).catch((error) => ({ error: error.message }));
    return [JSON.stringify(state), ...this.console].join('\n');
  }
}

export { pause };
