// AV1 with layers inside one stream: chosen for each viewer by the dependency descriptor, which goes on to those who ask
// for it. The SDK does not; pages can, of their connection.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const PUBLISHER = "{senders: [A(), V({preferredCodecs: ['AV1']})]}";
const VIEWER = '{receivers: {audio: 1, video: 1}}';
// Chromium makes three spatial layers of no less.
const WIDTH = 960, HEIGHT = 540;

// Viewed from the beginning: what nobody views is held to so few bits that Chromium makes less of its layers.
async function publishTo(env, viewer, name, mode) {
  const peer = await env.open(name);
  await peer.lab('run', `lab.describes = true; lab.media = await navigator.mediaDevices.getUserMedia(
    { audio: true, video: { width: ${WIDTH}, height: ${HEIGHT}, frameRate: 15 } })`);
  await peer.connect(PUBLISHER);
  await seesAndHears(viewer, peer);
  await setMode(peer, mode);
  return peer;
}

const setMode = (peer, mode) => peer.lab('run', `
  const sender = lab.connections[0].getSenders().find((s) => s.track?.kind === 'video');
  const parameters = sender.getParameters();
  parameters.encodings[0].scalabilityMode = '${mode}';
  parameters.encodings[0].maxBitrate = 1_500_000;
  parameters.degradationPreference = 'maintain-resolution';
  await sender.setParameters(parameters);
  let out;
  await lab.until('the layers are sent', async () => {
    out = [...(await sender.getStats()).values()].find((r) => r.type === 'outbound-rtp');
    return out?.scalabilityMode === '${mode}' && out.frameWidth === ${WIDTH};
  }, 30).catch((e) => { throw new Error(e.message + ' but ' + JSON.stringify(out)); });`);

async function joinAsViewer(env, name, describes) {
  const peer = await env.open(name);
  await peer.lab('run', `lab.describes = ${describes}`);
  await peer.connect(VIEWER);
  return peer;
}

const limit = (peer, limits) =>
  peer.lab('request', 'receiver.limit', { id: 'video_0', limit: { priority: 1, ...limits } });

const showsWidth = (peer, id, width) => peer.lab('run', `return lab.until('a width of ${width}', async () =>
  (await lab.inbound('${id}'))?.frameWidth === ${width}).catch(async (e) => {
    throw new Error(e.message + ' but ' + JSON.stringify(await lab.inbound('${id}'))); })`);

// Frames a second, over two seconds.
const rateOf = (peer, id) => peer.lab('run', `
  const before = await lab.inbound('${id}');
  await new Promise((done) => setTimeout(done, 2000));
  const now = await lab.inbound('${id}');
  return (now.framesDecoded - before.framesDecoded) / (now.timestamp - before.timestamp) * 1000;`);

async function settlesBelow(peer, id, rate) {
  for (let i = 0; i < 4; ++i) if (await rateOf(peer, id) < rate) return;
  assert.fail(`more than ${rate} frames a second`);
}

for (const describes of [true, false]) {
  test(`AV1 L1T3: a viewer ${describes ? 'with' : 'without'} descriptors gets as many frames as it wants`, { core: describes, seconds: 60 }, async (env) => {
    const bob = await joinAsViewer(env, 'bob', describes);
    await publishTo(env, bob, 'alice', 'L1T3');
    const id = 'alice/video_main';
    // The first seconds bring what is certain to fit.
    let full = 0;
    for (let i = 0; i < 3; ++i) full = Math.max(full, await rateOf(bob, id));
    await limit(bob, { max_temporal: 0 });
    await settlesBelow(bob, id, full / 2);
    await bob.flows(id);
    await limit(bob, { max_temporal: 2 });
    await bob.flows(id);
    assert.ok(await rateOf(bob, id) > full * 0.7, 'all frames again');
  });
}

for (const mode of ['L3T3', 'L3T3_KEY', 'L2T1']) {
  test(`AV1 ${mode}: viewers get as many spatial layers as they want`, { seconds: 60 }, async (env) => {
    const [bob, carol] = await Promise.all([joinAsViewer(env, 'bob', true), joinAsViewer(env, 'carol', false)]);
    const alice = await publishTo(env, bob, 'alice', mode);
    const id = 'alice/video_main';
    const lowest = mode === 'L2T1' ? WIDTH / 2 : WIDTH / 4;
    await showsWidth(bob, id, WIDTH);
    await limit(bob, { max_spatial: 0 });
    await showsWidth(bob, id, lowest);
    await bob.flows(id);
    await limit(bob, { max_spatial: 2 });
    await showsWidth(bob, id, WIDTH);
    await bob.flows(id);
    // Who cannot tell layers apart gets the lowest.
    await seesAndHears(carol, alice);
    await showsWidth(carol, id, lowest);
  });
}
