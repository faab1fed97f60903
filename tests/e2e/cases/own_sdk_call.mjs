// Our own SDK (sdk/js), whatever --sdk says: calls, in both browsers and with the npm SDK at the other end.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const OWN = { sdk: 'own' };

test('two pages see and hear each other', { ...OWN, core: true }, async (env) => {
  const [alice, bob] = await Promise.all([env.join('alice', BOTH), env.join('bob', BOTH)]);
  await Promise.all([seesAndHears(alice, bob), seesAndHears(bob, alice)]);
});

test('Firefox and Chromium see and hear each other', { ...OWN, core: true }, async (env) => {
  const [fox, alice] = await Promise.all([env.join('fox', BOTH, { browser: 'firefox' }), env.join('alice', BOTH)]);
  await Promise.all([seesAndHears(fox, alice), seesAndHears(alice, fox)]);
});

test('it calls with the npm SDK', OWN, async (env) => {
  const alice = await env.join('alice', BOTH);
  env.sdk = 'npm';
  const bob = await env.join('bob', BOTH);
  await Promise.all([seesAndHears(alice, bob), seesAndHears(bob, alice)]);
});

test('others are told of, and one who is replaced does not come back', OWN, async (env) => {
  const alice = await env.join('alice', BOTH);
  await alice.lab(
    'run',
    `lab.peers = [];
    for (const what of ['added', 'updated', 'removed']) {
      session.on('peer_' + what, (peer) => lab.peers.push([what, peer.peerId]));
    }`,
  );
  const first = await env.join('bob', BOTH);
  await seesAndHears(alice, first);
  await env.join('bob', BOTH);
  await first.lab('waitEvent', 'disconnected');
  assert.deepEqual(await first.page.evaluate(() => lab.events.filter((event) => event[0] === 'disconnected')), [
    ['disconnected', 'replaced'],
  ]);
  assert.equal(await first.page.evaluate(() => lab.session.disconnected && lab.connections.length), 1);
  assert.deepEqual(await alice.page.evaluate(() => lab.peers[0]), ['added', 'bob']);
});

test('the digest of statistics has what flows', OWN, async (env) => {
  const [alice, bob] = await Promise.all([env.join('alice', BOTH), env.join('bob', BOTH)]);
  await Promise.all([seesAndHears(alice, bob), seesAndHears(bob, alice)]);
  const stats = await alice.lab(
    'run',
    `await session.getStats();
    return lab.until('rates', async () => {
      const stats = await session.getStats();
      const video = stats.receivers.find((one) => one.kind === 'video');
      return video.bitrate > 0 && video.fps > 0 && stats.senders.every((one) => one.bitrate > 0) && stats;
    })`,
  );
  assert.match(stats.path, /^udp /);
  assert.ok(stats.rtt >= 0 && stats.rtt < 200, `rtt ${stats.rtt}`);
  const video = stats.receivers.find((one) => one.kind === 'video');
  assert.deepEqual([video.codec, video.source, video.width], ['VP8', { peer: 'bob', stream: 'video_main' }, 320]);
  assert.deepEqual(
    stats.senders.map((one) => [one.name, one.codec.toLowerCase(), one.layers.length]),
    [
      ['audio_main', 'opus', 1],
      ['video_main', 'vp8', 1],
    ],
  );
});
