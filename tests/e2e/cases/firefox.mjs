// Firefox and Chromium in one room, each with the unmodified SDK.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const VIEWER = '{receivers: {audio: 1, video: 1}}';
const FIREFOX = { browser: 'firefox' };

const ufrag = (sdp) => sdp.match(/^a=ice-ufrag:(.*)$/m)[1].trim();

test('Firefox and Chromium see and hear each other', { core: true }, async (env) => {
  const [fox, alice] = await Promise.all([env.join('fox', BOTH, FIREFOX), env.join('alice', BOTH)]);
  await Promise.all([seesAndHears(fox, alice), seesAndHears(alice, fox)]);
  assert.equal((await fox.lab('inbound', 'alice/video_main')).codec, 'video/VP8');
  assert.equal((await alice.lab('inbound', 'fox/video_main')).codec, 'video/VP8');
});

test('two Firefoxes see and hear each other', {}, async (env) => {
  const [fox, vixen] = await Promise.all([env.join('fox', BOTH, FIREFOX), env.join('vixen', BOTH, FIREFOX)]);
  await Promise.all([seesAndHears(fox, vixen), seesAndHears(vixen, fox)]);
});

test('a Firefox that reloads comes back, and is seen and heard again', {}, async (env) => {
  const alice = await env.join('alice', BOTH);
  const fox = await env.join('fox', BOTH, FIREFOX);
  await Promise.all([seesAndHears(fox, alice), seesAndHears(alice, fox)]);
  await fox.page.reload();
  await fox.connect(BOTH);
  await seesAndHears(fox, alice);
  await alice.flows('fox/video_main', 'fox/audio_main');
});

test('Firefox restarts ICE, and media flows both ways', {}, async (env) => {
  const alice = await env.join('alice', BOTH);
  const fox = await env.join('fox', BOTH, FIREFOX);
  await Promise.all([seesAndHears(fox, alice), seesAndHears(alice, fox)]);
  const before = await fox.page.evaluate(() => lab.connections[0].localDescription.sdp);
  await fox.lab('run', "session.ping = () => Promise.reject('Timed out'); return session.restartIce().catch(() => {})");
  for (const reply of await fox.replies('/webrtc/ice_restart')) assert.equal(reply.status, true, JSON.stringify(reply));
  assert.notEqual(ufrag(await fox.page.evaluate(() => lab.connections[0].localDescription.sdp)), ufrag(before));
  await fox.flows('alice/video_main', 'alice/audio_main');
  await alice.flows('fox/video_main', 'fox/audio_main');
});

// Firefox names its tracks by ids of its own in the offer: each sender must still be found under its name.
test('the senders of a Firefox are told apart', {}, async (env) => {
  await env.join('fox', `{senders: [{name: 'red', kind: 'video', stream: lab.painted('red')},
    {name: 'blue', kind: 'video', stream: lab.painted('blue')},
    {name: 'low', kind: 'audio', stream: lab.tone(440)}, {name: 'high', kind: 'audio', stream: lab.tone(1320)}]}`, FIREFOX);
  const alice = await env.join('alice', '{receivers: {audio: 2, video: 2}}');
  for (const stream of ['red', 'blue', 'low', 'high']) await alice.view('fox', stream);
  for (const colour of ['red', 'blue']) await alice.lab('waitColour', 'fox/' + colour, colour);
  await alice.lab('waitPitch', 'fox/low', 440);
  await alice.lab('waitPitch', 'fox/high', 1320);
});

test('Firefox publishes late, turns off and on, and stops', {}, async (env) => {
  const alice = await env.join('alice', VIEWER);
  const fox = await env.join('fox', '{senders: [], receivers: {audio: 1, video: 1}}', FIREFOX);
  await fox.lab('openMedia');
  await fox.lab('run', 'lab.pa = session.createPublisher(A()); lab.pv = session.createPublisher(V());');
  await seesAndHears(alice, fox);
  await fox.lab('run', 'lab.pv.switch(null)');
  await alice.lab('waitEvent', 'stream_updated', { peer: 'fox', stream: 'video_main', active: false });
  await alice.stops('fox/video_main');
  await fox.lab('run', 'lab.pv.switch(lab.media)');
  await alice.lab('waitEvent', 'stream_updated', { peer: 'fox', stream: 'video_main', active: true });
  await alice.flows('fox/video_main');
  await fox.lab('run', 'lab.pv.stop()');
  await alice.lab('waitEvent', 'stream_removed', { peer: 'fox', stream: 'video_main' });
  await alice.flows('fox/audio_main');
});

test('a receiver of Firefox is switched between streams and stays one', {}, async (env) => {
  const colours = ['red', 'green', 'blue'];
  await env.join('alice', `{senders: [${colours.map((c) => `{name: '${c}', kind: 'video', stream: lab.painted('${c}')}`)}]}`);
  const fox = await env.join('fox', '{receivers: {audio: 0, video: 1}}', FIREFOX);
  assert.equal(await fox.lab('takeReceiver', 'video', 'v'), 'video_0');
  for (let i = 0; i < 6; ++i) {
    assert.equal(await fox.lab('switchReceiver', 'v', 'alice', colours[i % 3]), true);
    await fox.lab('waitColour', 'v', colours[i % 3]);
  }
  assert.equal((await fox.lab('inbound', 'v')).packetsLost, 0, 'sequence numbers have no gap');
});

test('receivers of Firefox that are allocated late', {}, async (env) => {
  const colours = ['red', 'green', 'blue'];
  await env.join('alice', `{senders: [${colours.map((c) => `{name: '${c}', kind: 'video', stream: lab.painted('${c}')}`)}]}`);
  const fox = await env.join('fox', '{receivers: {audio: 0, video: 1}}', FIREFOX);
  for (const colour of colours) await fox.view('alice', colour);
  for (const colour of colours) await fox.lab('waitColour', 'alice/' + colour, colour);
});
