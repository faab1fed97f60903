// One page with one SDK session. The work is done in the page by page/lab.js; this is its remote control.
import { until } from './test.mjs';
import { makeToken } from './tokens.mjs';

const CONSOLE_LINES_MAX = 200;

export class Peer {
  constructor(page, { room, name, server }) {
    this.page = page;
    this.room = room;
    this.name = name;
    this.server = server;
    this.console = [];
    this.requests = []; // to the media server: {method, path, reply}
    page.on('console', (message) => this.note(message.text()));
    page.on('pageerror', (error) => this.note('uncaught: ' + error.message));
    page.on('requestfinished', (request) => this.noteRequest(request));
  }

  note(line) {
    if (this.console.length < CONSOLE_LINES_MAX) this.console.push(line);
  }

  async noteRequest(request) {
    if (!request.url().startsWith(this.server.url) || request.method() === 'OPTIONS') return;
    const entry = { method: request.method(), path: new URL(request.url()).pathname, reply: null };
    this.requests.push(entry);
    entry.reply = await Promise.resolve(request.response()).then((response) => response.text()).catch(() => null);
  }

  // Calls a function of lab in the page: peer.lab('view', 'alice', 'video_main')
  lab(name, ...args) {
    return this.page.evaluate(([name, args]) => globalThis.lab[name](...args), [name, args]);
  }

  // Creates the session without connecting. Options: token, urls, before (JavaScript run before connect).
  create(config = '{}', { token, urls, before = '' } = {}) {
    this.token = token ?? makeToken({ room: this.room, peer: this.name });
    return this.lab('create', {
      urls: urls ?? this.server.url, room: this.room, peer: this.name, config, before,
      token: this.token,
    });
  }

  async connect(config, options) {
    await this.create(config, options);
    await this.lab('connect');
  }

  // What the server answered to the requests of that path, once it has answered them all.
  replies(path) {
    const asked = () => this.requests.filter((request) => request.path === path);
    return until(`${path} is answered`, () => asked().length > 0 && asked().every((r) => r.reply !== null) &&
      asked().map((r) => JSON.parse(r.reply)));
  }

  // The message of the error with which connect() is refused.
  async refused(config, options) {
    await this.create(config, options);
    return this.page.evaluate(() => lab.session.connect().then(() => 'connected', (error) => error.message));
  }

  // Waits for the stream, views it, and returns the view's id, by which the calls below name it.
  view(peer, stream, id) {
    const name = peer.name ?? peer;
    return this.lab('view', name, stream, id ?? `${name}/${stream}`);
  }

  // Media must come in from now on: frames decoded, or audio energy. Returns what came.
  async flows(...ids) {
    const reports = await Promise.all(ids.map((id) => this.lab('flows', id)));
    return reports.length === 1 ? reports[0] : reports;
  }

  // Nothing more must come in.
  async stops(id) { return this.lab('stops', id); }

  async evidence() {
    const state = await this.lab('evidence').catch((error) => ({ error: error.message }));
    const requests = this.requests.map((r) => `${r.method} ${r.path} -> ${(r.reply ?? 'no reply').slice(0, 200)}`);
    return [JSON.stringify(state, null, 1), ...this.console, ...requests].join('\n');
  }
}

// Views everything of `publisher` at `viewer`, and sees it flow.
export async function seesAndHears(viewer, publisher, streams = ['audio_main', 'video_main']) {
  const ids = [];
  for (const stream of streams) ids.push(await viewer.view(publisher, stream));
  await viewer.flows(...ids);
  return ids;
}
