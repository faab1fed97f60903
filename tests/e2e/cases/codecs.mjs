// Every video codec from publisher to viewer, between the browsers that have it, and viewers that cannot decode one.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const VIEWER = '{receivers: {audio: 1, video: 1}}';
const FIREFOX = { browser: 'firefox' };

const publisher = (codec) => `{senders: [A(), V({preferredCodecs: ['${codec}']})]}`;

async function showsAs(viewer, publisher, mimeType) {
  await seesAndHears(viewer, publisher);
  assert.equal((await viewer.lab('inbound', publisher.name + '/video_main')).codec, mimeType);
}

for (const codec of ['VP9', 'AV1']) {
  test(`${codec} from Chromium, to Chromium and to Firefox`, { core: codec === 'AV1' }, async (env) => {
    const [alice, bob, fox] = await Promise.all([env.join('alice', publisher(codec)), env.join('bob', VIEWER),
      env.join('fox', VIEWER, FIREFOX)]);
    await Promise.all([showsAs(bob, alice, 'video/' + codec), showsAs(fox, alice, 'video/' + codec)]);
  });

  test(`${codec} from Firefox, to Chromium`, {}, async (env) => {
    const [fox, bob] = await Promise.all([env.join('fox', publisher(codec), FIREFOX), env.join('bob', VIEWER)]);
    await showsAs(bob, fox, 'video/' + codec);
  });
}

// The SDK asks for no scalability mode; an application can, of the sender. All layers go to every viewer.
// AV1 with spatial layers is not here: without the dependency descriptor, which is declined, Chromium stops to decode.
for (const [codec, mode] of [['VP9', 'L1T3'], ['VP9', 'L2T3_KEY'], ['AV1', 'L1T3']]) {
  test(`${codec} with layers ${mode}`, {}, async (env) => {
    const [alice, bob] = await Promise.all([env.open('alice'), env.join('bob', VIEWER)]);
    // Large enough for two spatial layers.
    await alice.lab('run', `lab.media = await navigator.mediaDevices.getUserMedia(
      { audio: true, video: { width: 640, height: 360, frameRate: 30 } })`);
    await alice.connect(publisher(codec));
    await showsAs(bob, alice, 'video/' + codec);
    const inUse = await alice.lab('run', `
      const sender = lab.connections[0].getSenders().find((s) => s.track?.kind === 'video');
      const parameters = sender.getParameters();
      parameters.encodings[0].scalabilityMode = '${mode}';
      await sender.setParameters(parameters);
      return lab.until('the layers are sent', async () => {
        const out = [...(await sender.getStats()).values()].find((r) => r.type === 'outbound-rtp');
        lab.mode = out.scalabilityMode;
        return out.scalabilityMode === '${mode}' && out.scalabilityMode;
      }).catch((e) => { throw new Error(e.message + ' but ' + lab.mode); });`);
    assert.equal(inUse, mode);
    await bob.flows('alice/video_main');
    // One that comes in the middle of it starts at a key frame of all layers.
    const carol = await env.join('carol', VIEWER);
    await showsAs(carol, alice, 'video/' + codec);
  });
}

test('simulcast as the SDK asks for it goes through with every codec', {}, async (env) => {
  const bob = await env.join('bob', VIEWER);
  for (const codec of ['VP9', 'AV1']) {
    const alice = await env.join('alice-' + codec, `{senders: [A(), V({preferredCodecs: ['${codec}'], simulcast: true})]}`);
    await showsAs(bob, alice, 'video/' + codec);
    for (const stream of ['audio_main', 'video_main']) await bob.lab('unview', `alice-${codec}/${stream}`);
  }
});

async function staysDark(viewer, publisher) {
  await viewer.flows(await viewer.view(publisher, 'audio_main'));
  const id = await viewer.view(publisher, 'video_main');
  await viewer.lab('waitMessage', 'local_stream_video_0_state', { state: 'connecting' });
  await viewer.flows(publisher.name + '/audio_main');
  await viewer.stops(id);
  const video = await viewer.lab('inbound', id);
  assert.equal(video?.packetsReceived ?? 0, 0, 'nothing that cannot be decoded is sent');
  assert.ok(!await viewer.page.evaluate(() => lab.messages.some((message) =>
    message.event === 'local_stream_video_0_state' && message.data.state === 'live')));
  return id;
}

test('a viewer whose session has another codec hears, stays dark, and then sees what it can decode', { core: true }, async (env) => {
  const alice = await env.join('alice', `{senders: [A(), V({preferredCodecs: ['VP9']}),
    {name: 'plain', kind: 'video', stream: lab.painted('green'), preferredCodecs: ['VP8']}]}`);
  const bob = await env.join('bob', "{receivers: {audio: 1, video: 1}, codecs: ['OPUS', 'VP8']}");
  const id = await staysDark(bob, alice);
  await bob.lab('unview', id);
  await bob.flows(await bob.view(alice, 'plain'));
  await bob.lab('waitColour', 'alice/plain', 'green');
});

test('a Firefox without H264 hears, and stays dark', {}, async (env) => {
  const alice = await env.join('alice', publisher('H264'));
  const fox = await env.join('fox', "{receivers: {audio: 1, video: 1}, codecs: ['OPUS', 'VP8']}", FIREFOX);
  const bob = await env.join('bob', VIEWER);
  await staysDark(fox, alice);
  await showsAs(bob, alice, 'video/H264');
});
