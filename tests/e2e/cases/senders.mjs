// What a publisher does with its senders: off, on, another source, stop.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';

async function toggleOffAndOn(env, kind) {
  const alice = await env.join('alice', BOTH);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  const name = kind + '_main', id = 'alice/' + name;
  await seesAndHears(bob, alice);
  for (let round = 0; round < 2; ++round) {
    await bob.page.evaluate(() => { lab.events.length = 0; });
    await alice.lab('run', `session.getSender('${kind}', '${name}').switch(null)`);
    await bob.lab('waitEvent', 'stream_updated', { peer: 'alice', stream: name, active: false });
    await bob.stops(id);
    await alice.lab('run', `session.getSender('${kind}', '${name}').switch(lab.media)`);
    await bob.lab('waitEvent', 'stream_updated', { peer: 'alice', stream: name, active: true });
    await bob.flows(id);
  }
}

test('video off and on again', { core: true }, (env) => toggleOffAndOn(env, 'video'));
test('audio off and on again', { core: true }, (env) => toggleOffAndOn(env, 'audio'));

test('another source under the same name', {}, async (env) => {
  const alice = await env.join('alice', "{senders: [{name: 'video_main', kind: 'video', stream: lab.painted('red')}]}");
  const bob = await env.join('bob', '{receivers: {audio: 0, video: 1}}');
  const id = await bob.view(alice, 'video_main');
  await bob.lab('waitColour', id, 'red');
  await alice.lab('run', "session.getSender('video', 'video_main').switch(lab.painted('blue'))");
  await bob.lab('waitColour', id, 'blue');
});

test('a stopped sender is removed, the other goes on, and it may be published again', {}, async (env) => {
  const alice = await env.join('alice', BOTH);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  await seesAndHears(bob, alice);
  // Of the video alone: stop() also stops the tracks of its stream.
  await alice.lab('run', `
    const own = new MediaStream(lab.media.getVideoTracks().map((track) => track.clone()));
    session.getSender('video', 'video_main').switch(own);
    await session.getSender('video', 'video_main').stop();`);
  await bob.lab('waitEvent', 'stream_removed', { peer: 'alice', stream: 'video_main' });
  await bob.flows('alice/audio_main');
  await bob.lab('unview', 'alice/video_main');
  await alice.lab('run', 'session.createPublisher(V())');
  await bob.view(alice, 'video_main', 'again');
  await bob.flows('again');
  await bob.flows('alice/audio_main');
});

test('a stream carries its label and kind', {}, async (env) => {
  const alice = await env.join('alice', "{senders: [A({label: 'my mic'}), V({screen: true})]}");
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  const audio = await bob.lab('waitMessage', 'stream_added', { stream: 'audio_main' });
  const video = await bob.lab('waitMessage', 'stream_added', { stream: 'video_main' });
  assert.equal(audio.data.kind, 'audio');
  assert.equal(video.data.kind, 'video');
  assert.equal(video.data.state.active, true);
  assert.equal(video.data.state.scaling, 'single');
  assert.equal(typeof audio.data.peer_hash, 'number');
  assert.equal(audio.data.peer_hash, video.data.peer_hash);
  await seesAndHears(bob, alice);
});
