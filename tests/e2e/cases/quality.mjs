// What a viewer is told of the quality of its streams, and its latency mode.
import { assert, test, until } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const WATCHES = '{receivers: {audio: 1, video: 1}}';

test('a viewer is told how good its streams are', { core: true }, async (env) => {
  const alice = await env.join('alice', BOTH);
  const bob = await env.join('bob', WATCHES);
  await seesAndHears(bob, alice);
  await bob.page.evaluate(() => {
    lab.qualities = [];
    for (const { consumer } of lab.views.values()) consumer.on('quality', (quality) => lab.qualities.push(['consumer', quality]));
    for (const remote of lab.remotes.values()) remote.on('quality', (quality) => lab.qualities.push(['remote', quality]));
  });
  // The first value may have come before that; another view is told anew.
  for (const id of ['alice/audio_main', 'alice/video_main']) {
    await bob.lab('unview', id);
    await bob.lab('viewAgain', id);
  }
  const told = (kind, by) => until(`${by} is told of ${kind}`, () => bob.page.evaluate(
    ([kind, by]) => lab.qualities.find((one) => one[0] === by && one[1].kind === kind)?.[1], [kind, by]));
  for (const kind of ['audio', 'video']) {
    for (const by of ['consumer', 'remote']) {
      const quality = await told(kind, by);
      console.log('    ' + JSON.stringify(quality));
      assert.equal(quality.peer, 'alice');
      assert.equal(quality.name, `${kind}_main`);
      assert.ok(quality.mos >= 3 && quality.mos <= 5, `MOS ${quality.mos} over loopback`);
    }
  }
});

// The SDK tells the server no latency mode: the test adds it to what the page sends.
async function joinWithMode(env, name, mode) {
  const peer = await env.open(name);
  await peer.page.route('**/webrtc/connect', (route, request) => {
    if (request.method() !== 'POST') return route.continue();
    return route.continue({ postData: JSON.stringify({ ...request.postDataJSON(), latency_mode: mode }) });
  });
  await peer.connect(WATCHES);
  return peer;
}

// Milliseconds for which each frame was held back, over the next seconds.
async function measureDelay(peer, id, seconds) {
  const before = await peer.lab('inbound', id);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const now = await peer.lab('inbound', id);
  const emitted = now.jitterBufferEmittedCount - before.jitterBufferEmittedCount;
  const of = (field) => ((now[field] - before[field]) * 1000) / emitted;
  return { held: of('jitterBufferDelay'), aimedAt: of('jitterBufferTargetDelay'), emitted };
}

test('a latency mode is how long a viewer holds back its video', { seconds: 60 }, async (env) => {
  const alice = await env.join('alice', BOTH);
  const modes = ['ultra-low', 'default', 'smooth-200', 'smooth-500'];
  const viewers = {};
  for (const mode of modes) {
    viewers[mode] = await joinWithMode(env, mode, mode);
    await viewers[mode].view(alice, 'video_main', 'v');
    await viewers[mode].flows('v');
  }
  await new Promise((resolve) => setTimeout(resolve, 3000)); // a browser moves its delay slowly
  const delays = {};
  await Promise.all(modes.map(async (mode) => { delays[mode] = await measureDelay(viewers[mode], 'v', 6); }));
  for (const mode of modes) console.log(`    ${mode}: ${JSON.stringify(delays[mode])}`);
  for (const [mode, wanted] of [['smooth-500', 500], ['smooth-200', 200]]) {
    const { held, emitted } = delays[mode];
    assert.ok(emitted > 60, `${mode}: ${emitted} frames`);
    assert.ok(Math.abs(held - wanted) <= wanted * 0.2, `${mode}: held back for ${held} ms`);
  }
  assert.ok(delays['ultra-low'].held < 60, `ultra-low: held back for ${delays['ultra-low'].held} ms`);
  assert.ok(delays.default.held < 150, `default: held back for ${delays.default.held} ms`);
});

test('a latency mode that there is none of is refused', {}, async (env) => {
  const peer = await env.open('alice');
  await peer.page.route('**/webrtc/connect', (route, request) => request.method() !== 'POST' ? route.continue()
    : route.continue({ postData: JSON.stringify({ ...request.postDataJSON(), latency_mode: 'smooth-300' }) }));
  assert.match(await peer.refused('{}'), /INVALID_REQUEST/);
});
