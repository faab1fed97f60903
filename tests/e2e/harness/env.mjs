// What a test is given: the running server, a room of its own, and peers, each a page with one session.
import { startBrowser } from './browser.mjs';
import { FarWorld } from './far.mjs';
import { startFirefox } from './firefox.mjs';
import { Peer } from './peer.mjs';
import { ownAddress, startServer } from './server.mjs';
import { startPages } from './static.mjs';
import { makeToken } from './tokens.mjs';

// One server, one browser and one page server for the whole run, and a Firefox once a test asks for it; every test has
// its own room and its own contexts.
export async function startWorld() {
  const server = await startServer({ flags: ownAddress() ? ['--media-ip', ownAddress()] : [] });
  const browser = await startBrowser();
  const pages = await startPages();
  return {
    server, browser, pages, rooms: 0,
    firefox: null, // a promise once it was asked for
    far: null, // as well
    async close() {
      await browser.close();
      await this.firefox?.then((firefox) => firefox.close(), () => {});
      await this.far?.then((far) => far.close(), () => {});
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
    this.sdk = test.sdk; // of its pages: 'npm' or 'own'
    this.isLong = process.argv.includes('--long');
    this.contexts = [];
    this.peers = [];
    this.servers = [];
    this.logStart = this.server.log.length;
  }

  token(claims, options) {
    return makeToken(claims, options);
  }

  // A page of its own (another profile than every other), closed when the test ends.
  async openPage(url, { browser = 'chromium', ...options } = {}) {
    if (browser === 'firefox') return this.openFirefoxPage();
    const context = await this.world.browser.newContext({ permissions: ['camera', 'microphone'], ...options });
    this.contexts.push(context);
    const page = await context.newPage();
    if (url) await page.goto(url);
    return page;
  }

  async openFirefoxPage() {
    if (!ownAddress()) throw new Error('Firefox makes no calls over loopback, and this machine has no other IPv4 address');
    this.world.firefox ??= startFirefox();
    const context = await (await this.world.firefox).createBrowserContext();
    this.contexts.push(context);
    return context.newPage();
  }

  // A peer that has not connected yet: the test page with the SDK.
  async open(name, { room = this.room, server = this.server, browser = 'chromium' } = {}) {
    const page = await this.openPage(null, { browser });
    const peer = new Peer(page, { room, name, server });
    this.peers.push(peer);
    await page.goto(this.world.pages.url + this.pagePath());
    return peer;
  }

  pagePath() {
    return this.sdk === 'own' ? '/own' : '/';
  }

  // A connected peer. `config` is JavaScript: {senders: [A(), V()], receivers: {audio: 1, video: 1}}
  async join(name, config, options = {}) {
    const peer = await this.open(name, options);
    await peer.connect(config, options);
    return peer;
  }

  // Peers without an SDK, each on a host of its own: the first name is on the first host. Not connected yet.
  async openFar(...names) {
    const far = await this.openFarWorld();
    return this.keepFar(await Promise.all(names.map((name, i) => far.openPeer(i, { room: this.room, name }))));
  }

  // The same with the test page and its SDK. They reach the server itself, and not through a link that is shaped.
  async openFarPages(...names) {
    const far = await this.openFarWorld();
    const open = (name, i) => far.openPage(i, this.pagePath(), { room: this.room, name });
    return this.keepFar(await Promise.all(names.map(open)));
  }

  async openFarWorld() {
    this.world.far ??= FarWorld.open();
    return (this.far = await this.world.far);
  }

  keepFar(peers) {
    this.peers.push(...peers);
    this.contexts.push(...peers.map((peer) => peer.context));
    return peers;
  }

  async startServer(options) {
    const server = await startServer(options);
    this.servers.push(server);
    return server;
  }

  async evidence() {
    const parts = [];
    for (const peer of this.peers) parts.push(`--- ${peer.name}\n${await peer.evidence()}`);
    for (const server of [this.far?.server ?? this.server, ...this.servers]) {
      const from = server === this.server ? Math.min(this.logStart, server.log.length) : 0;
      parts.push('--- server\n' + server.log.slice(from).slice(-200).join('\n'));
    }
    return parts.join('\n\n');
  }

  async close() {
    await Promise.all(this.contexts.map((context) => context.close().catch(() => {})));
    this.far?.reset();
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}
