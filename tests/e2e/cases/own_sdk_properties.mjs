// Each property of a configuration has its effect with our own SDK: those that the npm SDK does not bring about in a
// current browser.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const OWN = { sdk: 'own' };
const VIEWER = '{receivers: {audio: 1, video: 1}}';

// A page whose camera is large enough for three layers.
async function withLargeCamera(env, name, sender, more = '') {
  const peer = await env.open(name);
  await peer.lab(
    'run',
    `lab.media = await navigator.mediaDevices.getUserMedia(
    { audio: true, video: { width: 1280, height: 720, frameRate: 15 } })`,
  );
  await peer.connect(`{senders: [V(${sender})] ${more}}`);
  return peer;
}

const limit = (peer, maxSpatial) =>
  peer.lab(
    'run',
    `lab.views.get('v').consumer.limit('lab', { priority: 50, maxSpatial: ${maxSpatial}, maxTemporal: 2 })`,
  );

const shows = (peer, width) =>
  peer.lab(
    'run',
    `return lab.until('a picture of ${width}', async () => (await lab.inbound('v'))?.frameWidth === ${width}, 20)`,
  );

// What the first video sender of the page may and does send: [active, maxBitrate] of each encoding.
const encodings = (peer) =>
  peer.page.evaluate(() =>
    lab.connections
      .at(-1)
      .getSenders()
      .find((sender) => sender.track?.kind === 'video')
      .getParameters()
      .encodings.map((one) => [one.active, one.maxBitrate]),
  );

const becomeActive = (peer, wanted) =>
  peer.lab(
    'run',
    `return lab.until('layers ${wanted}', () => lab.connections.at(-1).getSenders()
  .find((sender) => sender.track?.kind === 'video').getParameters().encodings
  .map((one) => one.active).join() === '${wanted}')`,
  );

for (const codec of ['VP8', 'VP9', 'AV1']) {
  test(
    `simulcast of ${codec}: a viewer gets the layer within its limit`,
    { ...OWN, seconds: 60 },
    async (env) => {
      const alice = await withLargeCamera(env, 'alice', `{simulcast: true, preferredCodecs: ['${codec}']}`);
      const bob = await env.join('bob', VIEWER);
      await bob.view(alice, 'video_main', 'v');
      await limit(bob, 0);
      await shows(bob, 320);
      await limit(bob, 2);
      await shows(bob, 1280);
      await limit(bob, 1);
      await shows(bob, 640);
      assert.equal((await bob.lab('inbound', 'v')).codec, 'video/' + codec);
      assert.equal(await bob.page.evaluate(() => lab.remotes.get('alice/video_main').state.scaling), 'simulcast');
    },
  );
}

test('without simulcast there is one layer', OWN, async (env) => {
  const alice = await withLargeCamera(env, 'alice', '{}');
  const bob = await env.join('bob', VIEWER);
  await bob.view(alice, 'video_main', 'v');
  await limit(bob, 0);
  await bob.flows('v');
  assert.equal((await encodings(alice)).length, 1);
});

test(
  'layers that nobody wants are off until somebody does: the limit is applied',
  { ...OWN, seconds: 60 },
  async (env) => {
    const alice = await withLargeCamera(env, 'alice', '{simulcast: true}');
    await becomeActive(alice, 'true,false,false');
    const bob = await env.join('bob', VIEWER);
    await bob.view(alice, 'video_main', 'v');
    await becomeActive(alice, 'true,true,true');
    await shows(bob, 1280);
    await limit(bob, 0);
    await becomeActive(alice, 'true,false,false');
    await shows(bob, 320);
  },
);

test(
  'bitrateControlMode: SumBitrateOnly limits no stream, PerStream each one',
  { ...OWN, seconds: 60 },
  async (env) => {
    const [sum, each] = [
      await withLargeCamera(env, 'sum', '{simulcast: true}', ", bitrateControlMode: 'SumBitrateOnly'"),
      await withLargeCamera(env, 'each', '{simulcast: true, maxBitrate: 400000}', ", bitrateControlMode: 'PerStream'"),
    ];
    await becomeActive(each, 'true,false,false');
    assert.deepEqual((await encodings(each))[0], [true, 100_000], 'nobody views it');
    const bob = await env.join('bob', VIEWER);
    await bob.view(each, 'video_main', 'v');
    await becomeActive(each, 'true,true,true');
    assert.deepEqual((await encodings(each)).reduce((all, [, rate]) => all + rate, 0) <= 400_001, true);
    assert.deepEqual(
      (await encodings(sum)).map((one) => one[0]),
      [true, true, true],
    );
    assert.ok(!(await sum.page.evaluate(() => lab.messages.some((message) => /_limit$/.test(message.event ?? '')))));
  },
);

test('maxBitrate is the most that a sender takes', { ...OWN, seconds: 60 }, async (env) => {
  const alice = await withLargeCamera(env, 'alice', '{maxBitrate: 60000}');
  const bob = await env.join('bob', VIEWER);
  await bob.view(alice, 'video_main', 'v');
  await bob.flows('v');
  const bitrate = await alice.lab(
    'run',
    `await session.getStats();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    return (await session.getStats()).senders[0].bitrate;`,
  );
  console.log(`    it sends ${bitrate} bit/s`);
  assert.ok(bitrate > 15_000 && bitrate < 80_000);
  assert.deepEqual((await encodings(alice))[0], [true, 60_000]);
});

for (const [property, session, sender] of [
  ['codecs', "codecs: ['OPUS', 'H264', 'VP8']", ''],
  ['preferredCodecs', '', "preferredCodecs: ['H264']"],
]) {
  test(`${property}: the first one is sent`, OWN, async (env) => {
    const alice = await env.join('alice', `{senders: [A(), V({${sender}})], ${session}}`);
    const bob = await env.join('bob', VIEWER);
    assert.equal((await bob.flows(await bob.view(alice, 'video_main'))).codec, 'video/H264');
  });
}

// What viewers are told of a sender: "screenshare", or nothing.
async function contentType(env, sender) {
  const alice = await env.join(
    'alice',
    `{senders: [{name: 'painted', kind: 'video', stream: lab.painted('red'), ${sender}}]}`,
  );
  const bob = await env.join('bob', VIEWER);
  const id = await bob.view(alice, 'painted');
  await bob.flows(id);
  const hint = await alice.page.evaluate(() => lab.connections[0].getSenders()[0].track.contentHint);
  await alice.lab('run', 'session.disconnect()');
  return [hint, (await bob.lab('inbound', id)).contentType ?? 'camera'];
}

test('screen: viewers get it as screen content', OWN, async (env) => {
  assert.deepEqual(await contentType(env, 'screen: true'), ['detail', 'screenshare']);
});

test('contentHint is that of the track', { ...OWN, seconds: 60 }, async (env) => {
  assert.deepEqual(await contentType(env, "contentHint: 'detail'"), ['detail', 'screenshare']);
  assert.deepEqual(await contentType(env, "contentHint: 'motion'"), ['motion', 'camera']);
  assert.deepEqual(await contentType(env, "contentHint: 'none', screen: true"), ['', 'camera']);
});

test('label is told, and told anew', OWN, async (env) => {
  const alice = await env.join('alice', "{senders: [A({label: 'my mic'}), V()]}");
  const bob = await env.join('bob', VIEWER);
  await bob.lab('waitRemotePlain', 'alice', 'audio_main');
  const label = () => bob.page.evaluate(() => lab.remotes.get('alice/audio_main').state.label);
  assert.equal(await label(), 'my mic');
  await alice.lab('run', "session.getSender('audio', 'audio_main').switch(lab.tone(440), 'my tone')");
  await bob.lab('waitEvent', 'stream_updated', { peer: 'alice', label: 'my tone' });
  assert.equal(await label(), 'my tone');
});

// Milliseconds for which sound was held back, over the next seconds.
async function soundDelay(peer, id, seconds) {
  const before = await peer.lab('inbound', id);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const now = await peer.lab('inbound', id);
  return (
    ((now.jitterBufferDelay - before.jitterBufferDelay) * 1000) /
    (now.jitterBufferEmittedCount - before.jitterBufferEmittedCount)
  );
}

test('latencyMode holds back sound and picture', { ...OWN, seconds: 60 }, async (env) => {
  const alice = await env.join('alice', '{senders: [A(), V()]}');
  const modes = {
    'ultra-low': 0,
    default: null,
    'smooth-200': 200,
    'smooth-500': 500,
    'smooth-800': 800,
    'smooth-1000': 1000,
    'smooth-2000': 2000,
  };
  for (const [mode, target] of Object.entries(modes)) {
    const peer = await env.join(mode, `{receivers: {audio: 1, video: 1}, latencyMode: '${mode}'}`);
    const targets = await peer.page.evaluate(() =>
      lab.connections[0].getReceivers().map((one) => one.jitterBufferTarget),
    );
    assert.deepEqual(targets, [target, target], mode);
    if (mode !== 'default' && mode !== 'smooth-500') await peer.lab('run', 'session.disconnect()');
  }
  const [low, smooth] = env.peers.filter((peer) => ['default', 'smooth-500'].includes(peer.name));
  for (const peer of [low, smooth]) await peer.flows(await peer.view(alice, 'audio_main', 'a'));
  await new Promise((resolve) => setTimeout(resolve, 5000)); // a browser moves its delay slowly
  const [lowDelay, smoothDelay] = await Promise.all([soundDelay(low, 'a', 4), soundDelay(smooth, 'a', 4)]);
  console.log(
    `    sound is held back for ${lowDelay.toFixed(0)} ms by default, ${smoothDelay.toFixed(0)} ms with smooth-500`,
  );
  assert.ok(smoothDelay > 400 && smoothDelay < 650 && lowDelay < 250);
});

test("iceServers, given and issued, are the browser's", OWN, async (env) => {
  const peer = await env.open('alice');
  await peer.page.route('**/webrtc/connect', async (route, request) => {
    if (request.method() !== 'POST') return route.continue();
    const reply = await route.fetch(),
      body = await reply.json();
    body.data.ice_servers = [{ urls: 'turn:127.0.0.1:3479', username: 'u', credential: 'c' }];
    return route.fulfill({ response: reply, json: body });
  });
  await peer.connect("{senders: [A()], iceServers: [{urls: 'stun:127.0.0.1:3478'}]}");
  const urls = await peer.page.evaluate(() =>
    lab.connections[0].getConfiguration().iceServers.map((one) => [].concat(one.urls)[0]),
  );
  assert.deepEqual(urls, ['stun:127.0.0.1:3478', 'turn:127.0.0.1:3479']);
});

test('a mixer plays in the elements that it is given', OWN, async (env) => {
  const alice = await env.join(
    'alice',
    `{mixMinusAudio: {mode: 'AllAudioStreams', elements: lab.players =
    [0, 1, 2].map(() => document.body.appendChild(document.createElement('audio')))}}`,
  );
  await alice.lab(
    'run',
    `await lab.until('they play', () =>
      lab.players.every((one) => one.srcObject?.getTracks().length === 1 && !one.paused))`,
  );
  const bound = await alice.page.evaluate(
    () => lab.messages.filter((message) => /^local_stream_audio_[0-2]_state/.test(message.event ?? '')).length,
  );
  assert.equal(await alice.page.evaluate(() => lab.session.getMixMinusAudio().elements.length), 3);
  await alice.lab('run', 'session.disconnect()');
  assert.ok(
    await alice.page.evaluate(() => lab.players.every((one) => one.srcObject === null && one.isConnected)),
    `${bound} states`,
  );
});

test('Firefox sends simulcast, too', { ...OWN, seconds: 60 }, async (env) => {
  const fox = await env.open('fox', { browser: 'firefox' });
  await fox.lab(
    'run',
    `lab.media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } })`,
  );
  await fox.connect('{senders: [A(), V({simulcast: true})]}');
  const bob = await env.join('bob', VIEWER);
  await seesAndHears(bob, fox, ['audio_main']);
  await bob.view(fox, 'video_main', 'v');
  await limit(bob, 0);
  await bob.flows('v');
  const narrow = (await bob.lab('inbound', 'v')).frameWidth;
  await limit(bob, 2);
  await bob.lab(
    'run',
    `return lab.until('a larger picture', async () => (await lab.inbound('v'))?.frameWidth >= 2 * ${narrow}, 20)`,
  );
});
