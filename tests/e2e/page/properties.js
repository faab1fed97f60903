// Runs the tests of property_tests.js, several at a time in one page: each has sessions of its own in a room of its own.
// Driven by harness/matrix.mjs, which has loaded the SDK, or the build of it in which properties can be ignored.
// So that a test hangs on its own property alone, the others go without: they publish with `publish`, find streams by
// peer or by name, make receivers when they need them, and use tokens that are good for anything.
'use strict';

const properties = {
  tests: new Map(), // name -> {turns, run}
  given: null, // {url, secret, anyToken, elsewhereToken, endingToken}
  runs: 0,
};
globalThis.properties = properties;

// turns: which switches it has to fail with.
function test(name, turns, run) {
  if (properties.tests.has(name)) throw new Error(`there are two tests ${name}`);
  properties.tests.set(name, { turns, run });
}

function check(condition, what) {
  if (!condition) throw new Error(what);
}
const same = (a, b, what) => check(a === b, `${what} is ${a}, not ${b}`);

// ---- what is published ------------------------------------------------------------------------------------------------

// A small picture that moves, for all who want it: each takes clones.
const pictures = {};
function picture(width = 160) {
  const height = (width * 9) / 16;
  pictures[width] ??= paintedStream({ width, height, fps: 15, every: 60 }, (pen, step) => {
    pen.fillStyle = `hsl(${step * 9} 60% 50%)`;
    pen.fillRect(0, 0, width, height);
  }).getVideoTracks()[0];
  return new MediaStream([pictures[width].clone()]);
}

const audio = { context: null };
function tone(level) {
  audio.context ??= new AudioContext();
  const oscillator = audio.context.createOscillator();
  const gain = audio.context.createGain();
  const out = audio.context.createMediaStreamDestination();
  gain.gain.value = level;
  oscillator.connect(gain).connect(out);
  oscillator.start();
  return out.stream;
}
const quiet = () => tone(0);
const loud = () => tone(0.3);

// ---- one run of one test ------------------------------------------------------------------------------------------------

class Run {
  constructor(patience) {
    this.patience = patience; // milliseconds
    this.id = `${Date.now().toString(36)}-${++properties.runs}`;
    this.room = 'room-' + this.id;
    this.sessions = [];
    this.streams = [];
  }

  until(what, ask) {
    return until(what, ask, this.patience);
  }

  name(name) {
    return `${name}-${this.id}`;
  }

  keep(stream) {
    this.streams.push(stream);
    return stream;
  }

  // A session that is not connected yet, with what it is told.
  create(peer, config = {}) {
    const { url, anyToken } = properties.given;
    const session = Atm0s.createSession(url, { roomId: this.room, peerId: this.name(peer), token: anyToken, ...config });
    session.heard = { peers: [], limits: [] };
    for (const event of ['peer_added', 'peer_updated']) session.on(event, (peer) => session.heard.peers.push(peer));
    session.label = this.name(peer);
    this.sessions.push(session);
    return session;
  }

  async connect(session) {
    await session.connect();
    await this.until('it is connected', () => session.wasConnected);
    return session;
  }

  // `config` is a sender's; its stream is given by a switch, for the tests of others must not hang on that.
  publish(session, { stream, ...config }) {
    const sender = session.createSender({ kind: 'video', ...config, name: this.name(config.name ?? 'stream') });
    sender.on('limit', (limit) => session.heard.limits.push(limit));
    sender.switch(this.keep(stream ?? picture()));
    return sender;
  }

  // A connected session that publishes one stream.
  async publisher(peer, sender, config) {
    const session = this.create(peer, config);
    session.sender = this.publish(session, sender);
    return this.connect(session);
  }

  viewer(config) {
    return this.connect(this.create('viewer', config));
  }

  // A stream of that publisher, or one of these.
  isOf(remote, publisher, names) {
    return remote.peerId === publisher.label || names.some((name) => remote.name === this.name(name));
  }

  known(session, publisher, name = 'stream') {
    return session.streams.find((one) => this.isOf(one, publisher, [name]));
  }

  remote(session, publisher, name) {
    return this.until('the stream is announced', () => this.known(session, publisher, name));
  }

  // It is seen or heard. Gives the report of what came in.
  async view(session, publisher, name) {
    return this.viewRemote(session, await this.remote(session, publisher, name));
  }

  async viewRemote(session, remote) {
    const stream = session.createConsumer(remote).view('here');
    const report = await this.until('media flows', async () => {
      const receiver = session.peerConnection.getReceivers().find((one) => stream.getTracks().includes(one.track));
      const reports = receiver ? [...(await receiver.getStats()).values()] : [];
      const inbound = reports.find((one) => one.type === 'inbound-rtp');
      if (!(inbound?.packetsReceived >= 5) || (remote.kind === 'video' && !(inbound.framesDecoded >= 3))) return null;
      return { ...inbound, codec: reports.find((one) => one.id === inbound.codecId)?.mimeType };
    });
    return { remote, report };
  }

  async end() {
    await Promise.all(this.sessions.map((session) => session.disconnect().catch(() => {})));
    for (const stream of this.streams) stream.getTracks().forEach((track) => track.stop());
  }
}

// `ignored`: names of switches; they hold until the next call. Gives {test: null or why it failed}.
properties.run = async ({ names, ignored = [], patience, atOnce }) => {
  globalThis.atm0sIgnored = ignored;
  globalThis.atm0sToken = properties.given.anyToken;
  const failures = {};
  const waiting = [...names];
  const work = async () => {
    for (let name; (name = waiting.shift()); ) {
      const { turns, run } = properties.tests.get(name);
      const isToFail = turns.some((one) => ignored.includes(one));
      const one = new Run(isToFail ? patience.toFail : patience.toPass);
      failures[name] = await run(one).then(() => null, (error) => String(error?.stack ?? error));
      await one.end();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return failures;
};
