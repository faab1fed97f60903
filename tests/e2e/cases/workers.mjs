// One room on both workers: the server of the tests has two, and with --room-slice-size 1 the second who comes is on the
// other one than the rest.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const PUBLISHER = `{senders: [{name: 'green', kind: 'video', stream: lab.painted('green')},
  {name: 'tone', kind: 'audio', stream: lab.tone(880)}], receivers: {audio: 1, video: 1}}`;
const VIEWER = '{receivers: {audio: 2, video: 2}}';
const STREAMS = ['green', 'tone'];

// A connection id starts with the number of its worker.
const workerOf = async (peer) => Number((await peer.replies('/webrtc/connect'))[0].data.conn_id.split('-')[0]);

// What a peer was told of alice and her streams, in order.
const toldOfAlice = (peer) => peer.page.evaluate(() => lab.messages
  .filter((message) => message.data?.peer === 'alice' && /^(stream|peer)_/.test(message.event))
  .map((message) => [message.event, message.data.stream ?? '', message.data.state?.active ?? message.data.state?.state ?? '']));

test('viewers on both workers see, hear and are told the same', { core: true, seconds: 60 }, async (env) => {
  const bob = await env.join('bob', VIEWER);
  const carol = await env.join('carol', PUBLISHER);
  const fox = await env.join('fox', VIEWER, { browser: 'firefox' });
  const alice = await env.join('alice', PUBLISHER);
  const viewers = [bob, carol, fox];
  const workers = {};
  for (const peer of [alice, ...viewers]) (workers[await workerOf(peer)] ??= []).push(peer.name);
  const at = Object.entries(workers).map(([worker, names]) => `worker ${worker}: ${names.join(', ')}`).join('; ');
  console.log('       ' + at);
  assert.deepEqual(Object.values(workers).sort((a, b) => a.length - b.length), [['carol'], ['alice', 'bob', 'fox']], at);

  for (const viewer of viewers) await seesAndHears(viewer, alice, STREAMS);
  for (const viewer of [bob, fox]) await seesAndHears(viewer, carol, STREAMS);
  for (const viewer of viewers) {
    await viewer.lab('waitColour', 'alice/green', 'green');
    await viewer.lab('waitPitch', 'alice/tone', 880);
  }
  await alice.lab('run', "session.getSender('video', 'green').switch(null)");
  for (const viewer of viewers) {
    await viewer.lab('waitEvent', 'stream_updated', { peer: 'alice', stream: 'green', active: false });
    await viewer.stops('alice/green');
  }
  await alice.lab('run', 'session.disconnect()');
  for (const viewer of viewers) await viewer.lab('waitMessage', 'peer_removed', { peer: 'alice' }, 5);
  const told = await Promise.all(viewers.map(toldOfAlice));
  assert.ok(told[0].length >= 6);
  for (const other of told) assert.deepEqual(other, told[0]);
});
