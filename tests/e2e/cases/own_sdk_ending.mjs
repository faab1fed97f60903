// Our own SDK when it ends, and when its server does.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const OWN = { sdk: 'own' };
const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const BACK_SECONDS = 10;

// Keeps account of the timers that run and of who listens to the page, from before any script.
const accountFor = () => {
  const account = (globalThis.account = { timers: new Map(), listeners: new Set(), audios: [] });
  const set = globalThis.setTimeout,
    clear = globalThis.clearTimeout,
    NativeAudio = globalThis.Audio;
  globalThis.setTimeout = (run, ms, ...args) => {
    const id = set(() => {
      account.timers.delete(id);
      run(...args);
    }, ms);
    account.timers.set(id, new Error().stack);
    return id;
  };
  globalThis.clearTimeout = (id) => {
    account.timers.delete(id);
    clear(id);
  };
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    if (this === globalThis || !this || this === document) account.listeners.add(type + new Error().stack);
    return add.call(this, type, listener, options);
  };
  EventTarget.prototype.removeEventListener = function (type, listener, options) {
    if (this === globalThis || !this || this === document) {
      for (const one of account.listeners) if (one.startsWith(type)) account.listeners.delete(one);
    }
    return remove.call(this, type, listener, options);
  };
  globalThis.Audio = class extends NativeAudio {
    constructor(...args) {
      super(...args);
      account.audios.push(this);
    }
  };
};

test('disconnect leaves no track, element, timer or listener', { ...OWN, core: true }, async (env) => {
  const bob = await env.join('bob', BOTH);
  const alice = await env.open('alice');
  await alice.page.addInitScript(accountFor);
  await alice.page.reload();
  await alice.connect(
    "{senders: [A(), V({simulcast: true})], receivers: {audio: 1, video: 1}, mixMinusAudio: {mode: 'AllAudioStreams'}}",
  );
  await seesAndHears(alice, bob);
  await seesAndHears(bob, alice);
  await alice.lab(
    'run',
    `lab.tracks = lab.connections[0].getReceivers().map((one) => one.track);
    lab.view = null; await session.disconnect();`,
  );
  const left = await alice.page.evaluate(() => ({
    timers: [...account.timers.values()].filter((stack) => stack.includes('own_sdk.js')),
    listeners: [...account.listeners].filter((stack) => stack.includes('own_sdk.js')),
    connections: lab.connections.map((one) => one.connectionState),
    received: lab.tracks.map((track) => track.readyState),
    senders: lab.connections[0].getTransceivers().map((line) => line.currentDirection),
    audios: account.audios.map((audio) => [audio.srcObject, audio.paused]),
    own: lab.media.getTracks().map((track) => track.readyState),
    shown: [...lab.views.values()].map((view) => view.stream.getTracks().length),
  }));
  assert.deepEqual(left, {
    timers: [],
    listeners: [],
    connections: ['closed'],
    received: Array(7).fill('ended'),
    senders: Array(7).fill('stopped'),
    audios: Array(3).fill([null, true]),
    own: ['live', 'live'],
    shown: [0, 0],
  });
  await bob.lab('waitEvent', 'stream_removed', { peer: 'alice', stream: 'video_main' }, 5);
});

test('one who leaves comes back in the same page with the same camera', OWN, async (env) => {
  const bob = await env.join('bob', BOTH);
  const alice = await env.join('alice', BOTH);
  await seesAndHears(bob, alice);
  await alice.lab('run', 'session.disconnect()');
  await bob.lab('waitGonePlain', 'alice', 'video_main');
  for (const stream of ['audio_main', 'video_main']) await bob.lab('unview', 'alice/' + stream);
  await alice.page.evaluate(() => {
    lab.events.length = 0;
  });
  await alice.connect(BOTH);
  await seesAndHears(bob, alice);
});

test('a server that is killed and comes back has its call back', { ...OWN, core: true, seconds: 90 }, async (env) => {
  const server = await env.startServer();
  const [alice, bob] = await Promise.all([env.join('alice', BOTH, { server }), env.join('bob', BOTH, { server })]);
  await Promise.all([seesAndHears(alice, bob), seesAndHears(bob, alice)]);
  server.child.kill('SIGKILL');
  await server.exited;
  for (const peer of [alice, bob]) await peer.lab('waitEvent', 'reconnecting', {}, 15);
  await env.startServer({ like: server });
  const back = Date.now();
  for (const peer of [alice, bob]) await peer.lab('waitEvent', 'reconnected', {}, 15);
  await Promise.all([
    alice.flows('bob/audio_main', 'bob/video_main'),
    bob.flows('alice/audio_main', 'alice/video_main'),
  ]);
  const seconds = (Date.now() - back) / 1000;
  console.log(`    back ${seconds.toFixed(1)} s after the server`);
  assert.ok(seconds < BACK_SECONDS, `${seconds} s`);
  // The same remotes, the same views: nothing was removed and added for the application.
  assert.ok(!(await alice.page.evaluate(() => lab.events.some((event) => event[0] === 'stream_removed'))));
});

test('a server that shuts down sends its sessions to the next url', { ...OWN, seconds: 60 }, async (env) => {
  const [first, second] = [await env.startServer(), await env.startServer()];
  const options = { server: second, urls: [first.url, second.url] };
  const [alice, bob] = await Promise.all([env.join('alice', BOTH, options), env.join('bob', BOTH, options)]);
  await seesAndHears(alice, bob);
  await first.stop();
  for (const peer of [alice, bob]) await peer.lab('waitEvent', 'reconnected', {}, 15);
  await alice.flows('bob/audio_main', 'bob/video_main');
});

test('a session whose server is gone for good says so', { ...OWN, seconds: 60 }, async (env) => {
  const server = await env.startServer();
  const alice = await env.join('alice', '{senders: [A()], reconnect: {giveUpAfter: 3000}}', { server });
  await server.stop();
  await alice.lab('waitEvent', 'disconnected', {}, 20);
  assert.equal(
    await alice.page.evaluate(() => lab.events.find((event) => event[0] === 'disconnected')[1]),
    'CONNECTION_LOST',
  );
});

test('errors have codes', OWN, async (env) => {
  const alice = await env.open('alice');
  await alice.create('{}', { token: 'wrong' });
  const code = () =>
    alice.page.evaluate(() =>
      lab.session.connect().then(
        () => 'connected',
        (error) => [error.code, error.message, !!error.detail],
      ),
    );
  assert.deepEqual(await code(), ['INVALID_TOKEN', 'INVALID_TOKEN', true]);
  await alice.create('{}', { urls: 'http://127.0.0.1:9' });
  assert.deepEqual(await code(), ['NETWORK_ERROR', 'NETWORK_ERROR', true]);
  await alice.create('{}', { urls: [env.world.pages.url, env.world.pages.url] });
  assert.deepEqual((await code())[0], 'NO_SERVER');
  await alice.connect('{senders: [A()]}');
  assert.equal(
    await alice.lab('run', 'try { session.createSender(A()) } catch (error) { return error.code }'),
    'INVALID_USE',
  );
});
