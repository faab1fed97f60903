// A page with a client of WHIP or WHEP, and the calls of both made by hand.
import { makeToken } from './tokens.mjs';

export class HttpClient {
  static async open(env, { room = env.room, server = env.server } = {}) {
    const page = await env.openPage(null);
    const client = new HttpClient(page, env, room, server);
    await page.goto(env.world.pages.url + '/http_clients.html');
    return client;
  }

  constructor(page, env, room, server) {
    Object.assign(this, { page, env, room, server, console: [], calls: [], contexts: env.contexts });
    page.on('console', (message) => this.console.push(message.text()));
    page.on('response', (response) => {
      const request = response.request();
      if (!request.url().startsWith(server.url)) return;
      this.calls.push({ method: request.method(), path: new URL(request.url()).pathname, status: response.status(),
        headers: response.headers() });
    });
    env.peers.push(this);
  }

  lab(name, ...args) {
    return this.page.evaluate(([name, args]) => globalThis.lab[name](...args), [name, args]);
  }
  flows() { return this.lab('flows'); }
  stops() { return this.lab('stops'); }

  publish(peer, options) {
    this.name = peer;
    return this.lab('publish', this.server.url + '/whip/endpoint', whipToken(this.room, peer), options);
  }
  play(peer) {
    this.name = peer ?? 'a player';
    return this.lab('play', this.server.url + '/whep/endpoint', whepToken(this.room, peer));
  }

  async evidence() {
    const state = await this.page.evaluate(() => ({ state: lab.connections.map((c) => c.connectionState), errors: lab.errors }))
      .catch((error) => ({ error: error.message }));
    return [JSON.stringify(state), ...this.console, ...this.calls.map((call) => JSON.stringify(call))].join('\n');
  }
}

export const whipToken = (room, peer, claims) =>
  makeToken({ room, peer, protocol: 'Whip', publish: true, subscribe: false, ...claims });
export const whepToken = (room, peer, claims) =>
  makeToken({ room, ...(peer && { peer }), protocol: 'Whep', publish: false, subscribe: true, ...claims });

// POST of an offer: status, headers and body of what comes back.
export async function postOffer(server, path, token, sdp, headers = {}) {
  const response = await fetch(server.url + path, { method: 'POST', body: sdp,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp', ...headers } });
  return read(response);
}

export async function patch(url, fragment, headers = {}) {
  return read(await fetch(url, { method: 'PATCH', body: fragment,
    headers: { 'content-type': 'application/trickle-ice-sdpfrag', ...headers } }));
}

async function read(response) {
  const text = await response.text();
  const isProblem = response.headers.get('content-type') === 'application/problem+json';
  return { status: response.status, headers: response.headers, text, problem: isProblem ? JSON.parse(text) : null };
}
