// People meet: they see and hear each other, come late, go, and vanish.
import { assert, test, until } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';

test('a peer sees and hears its own streams', { core: true }, async (env) => {
  const alice = await env.join('alice', BOTH);
  await seesAndHears(alice, alice);
  const events = await alice.page.evaluate(() => lab.events.map((event) => event[0]));
  assert.ok(events.includes('mystream_added'));
  assert.ok(!events.includes('stream_added'), 'own streams are not announced as those of others');
});

test('two pages see and hear each other', { core: true }, async (env) => {
  const [alice, bob] = await Promise.all([env.join('alice', BOTH), env.join('bob', BOTH)]);
  await Promise.all([seesAndHears(alice, bob), seesAndHears(bob, alice)]);
});

test('the room tells how many are in it', { core: true }, async (env) => {
  const alice = await env.join('alice');
  await alice.lab('waitEvent', 'room_stats', { peers: 1 });
  const bob = await env.join('bob');
  await Promise.all([alice, bob].map((peer) => peer.lab('waitEvent', 'room_stats', { peers: 2 })));
});

test('rooms do not hear of each other', {}, async (env) => {
  const alice = await env.join('alice', BOTH);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}', { room: env.room + '-other' });
  await alice.lab('waitRemotePlain', 'alice', 'video_main');
  await bob.lab('waitEvent', 'room_stats', { peers: 1 });
  assert.deepEqual(await bob.page.evaluate(() => [...lab.remotes.keys()]), []);
  const answer = await bob.lab('request', 'receiver.switch',
    { id: 'video_0', priority: 50, remote: { peer: 'alice', stream: 'video_main' } });
  if (answer.success) await bob.page.evaluate(() => { lab.takeReceiver('video', 'v'); }).then(() => bob.stops('v'));
});

test('a late joiner gets the streams that are there, and a picture at once', { core: true }, async (env) => {
  const alice = await env.join('alice', BOTH);
  await seesAndHears(alice, alice);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  const started = Date.now();
  await seesAndHears(bob, alice);
  assert.ok(Date.now() - started < 5000, `it took ${Date.now() - started} ms`);
});

test('a publisher that comes only after the connect reaches the others', { core: true }, async (env) => {
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  const alice = await env.join('alice', '{senders: [], receivers: {audio: 1, video: 1}}');
  await alice.lab('openMedia');
  await alice.lab('run', 'session.createPublisher(A()); session.createPublisher(V());');
  await seesAndHears(bob, alice);
});

test('the streams of one who leaves go', { core: true }, async (env) => {
  const alice = await env.join('alice', BOTH);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  await seesAndHears(bob, alice);
  await alice.lab('run', 'session.disconnect()');
  await bob.lab('waitEvent', 'stream_removed', { peer: 'alice', stream: 'video_main' }, 5);
  await bob.lab('waitEvent', 'stream_removed', { peer: 'alice', stream: 'audio_main' }, 5);
  await bob.lab('waitMessage', 'peer_removed', { peer: 'alice' }, 5);
  await bob.stops('alice/video_main');
});

test('one who left may come back under the same name', {}, async (env) => {
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  const first = await env.join('alice', BOTH);
  await seesAndHears(bob, first);
  await first.lab('run', 'session.disconnect()');
  await bob.lab('waitGonePlain', 'alice', 'video_main');
  await bob.lab('waitGonePlain', 'alice', 'audio_main');
  for (const id of ['alice/video_main', 'alice/audio_main']) await bob.lab('unview', id);
  await env.join('alice', BOTH);
  await seesAndHears(bob, first);
});

// The server learns of a dead tab only by silence: reconnecting after 5 s, dropped after 30 s.
test('a killed tab is first reconnecting, then gone', { seconds: 60 }, async (env) => {
  const alice = await env.join('alice', BOTH);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  await seesAndHears(bob, alice);
  const killed = Date.now();
  const cdp = await alice.page.context().newCDPSession(alice.page);
  cdp.send('Page.crash').catch(() => {});
  const reconnecting = await bob.lab('waitMessage', 'peer_updated', { peer: 'alice' }, 12);
  assert.equal(reconnecting.data.state.state, 'Reconnecting');
  await bob.lab('waitMessage', 'peer_removed', { peer: 'alice' }, 35);
  const seconds = (Date.now() - killed) / 1000;
  assert.ok(seconds > 20 && seconds < 36, `gone after ${seconds} s`);
  await bob.lab('waitGonePlain', 'alice', 'video_main', 1);
  await bob.lab('waitEvent', 'room_stats', { peers: 1 }, 2);
  await until('the closed page is noticed', () => alice.page.isClosed() || true);
});
