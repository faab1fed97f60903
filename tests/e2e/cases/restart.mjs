// ICE restarts. The npm SDK restarts when its ping is not answered, and then posts the same ice_restart twenty times; ours
// restarts when it is asked to, once.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';

const ufrag = (sdp) => sdp.match(/^a=ice-ufrag:(.*)$/m)[1].trim();

test('after restartIce media flows both ways', { core: true }, async (env) => {
  const alice = await env.join('alice', BOTH);
  const bob = await env.join('bob', BOTH);
  await seesAndHears(alice, bob);
  await seesAndHears(bob, alice);
  const before = await alice.page.evaluate(() => lab.connections[0].localDescription.sdp);
  await alice.lab('run', "session.ping = () => Promise.reject('Timed out'); return session.restartIce().catch(() => {})");
  const restarts = await alice.replies('/webrtc/ice_restart');
  assert.equal(restarts.length, env.sdk === 'own' ? 1 : 20);
  for (const reply of restarts) assert.equal(reply.status, true, JSON.stringify(reply));
  const after = await alice.page.evaluate(() => lab.connections[0].localDescription.sdp);
  assert.notEqual(ufrag(after), ufrag(before));
  await alice.flows('bob/video_main', 'bob/audio_main');
  await bob.flows('alice/video_main', 'alice/audio_main');
  await alice.page.waitForFunction(() => lab.connections[0].iceConnectionState === 'connected' ||
    lab.connections[0].iceConnectionState === 'completed');
});
