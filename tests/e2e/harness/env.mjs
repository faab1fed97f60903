// What a test is given: the running server, a room of its own, and peers, each a page with one session.
import { startBrowser } from './browser.mjs';
import { Peer } from './peer.mjs';
import { startServer } from './server.mjs';
import { startPages } from './static.mjs';
import { makeToken } from './tokens.mjs';

// One server, one browser and one page server for the whole run; every test has its own room and its own contexts.
export async function startWorld() {
  const server = await startServer();
  const browser = await startBrowser();
  const pages = await startPages();
  return {
    server, browser, pages, rooms: 0,
    async close() {
      await browser.close();
      pages.close();
      await server.stop();
    },
  };
}

export class Env {
  constructor(world, test) {
    this.world = world;
    this.server = world.server;
    this.room = `room-${++world.rooms}`;
    this.test = test;
    this.contexts = [];
    this.peers = [];
    this.servers = [];
    this.logStart = this.server.log.length;
  }

  token(claims, options) {
    return makeToken(claims, options);
  }

  // A page of its own (another profile than every other), closed when the test ends.
  async openPage(url, options = {}) {
    const context = await this.world.browser.newContext({ permissions: ['camera', 'microphone'], ...options });
    this.contexts.push(context);
    const page = await context.newPage();
    if (url) await page.goto(url);
    return page;
  }

  // A peer that has not connected yet: the test page with the SDK.
  async open(name, { room = this.room, server = this.server } = {}) {
    const page = await this.openPage();
    const peer = new Peer(page, { room, name, server });
    this.peers.push(peer);
    await page.goto(this.world.pages.url);
    return peer;
  }

  // A connected peer. `config` is JavaScript: {senders: [A(), V()], receivers: {audio: 1, video: 1}}
  async join(name, config, options = {}) {
    const peer = await this.open(name, options);
    await peer.connect(config, options);
    return peer;
  }

  async startServer(options) {
    const server = await startServer(options);
    this.servers.push(server);
    return server;
  }

  async evidence() {
    const parts = [];
    for (const peer of this.peers) parts.push(`--- ${peer.name}\n${await peer.evidence()}`);
    for (const server of [this.server, ...this.servers]) {
      const from = server === this.server ? Math.min(this.logStart, server.log.length) : 0;
      parts.push('--- server\n' + server.log.slice(from).slice(-200).join('\n'));
    }
    return parts.join('\n\n');
  }

  async close() {
    await Promise.all(this.contexts.map((context) => context.close().catch(() => {})));
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}
