// The recorded whole sessions, scripted again against the real server, step by step as they were.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';

test('session-basic: a pair, limits, unview, a toggle, a ping', { core: true }, async (env) => {
  const bob = await env.join('bob', BOTH);
  const alice = await env.join('alice', BOTH);
  await alice.lab('run', `
    lab.pair = session.createConsumerPair('bob', 'audio_main', 'video_main');
    lab.states = [];
    lab.pair.on('state', (state) => lab.states.push(state));
    const stream = lab.pair.view('page', { priority: 100, maxSpatial: 2, maxTemporal: 2 });
    await lab.until('both tracks', () => stream.getTracks().length === 2);
    lab.keepView('audio', 'audio', new MediaStream(stream.getAudioTracks()));
    lab.keepView('video', 'video', new MediaStream(stream.getVideoTracks()));`);
  await alice.flows('audio', 'video');
  await alice.lab('run', "lab.pair.limit('page', { priority: 10, maxSpatial: 1, maxTemporal: 1 }); return session.ping()");
  await alice.flows('video');
  await alice.lab('run', "lab.pair.unview('page')");
  await alice.stops('video');
  assert.deepEqual((await alice.page.evaluate(() => [lab.states[0], lab.states.includes('live'), lab.states.at(-1)])),
    ['connecting', true, 'no_source']);
  await alice.lab('run', "session.getSender('audio', 'audio_main').switch(null)");
  await bob.lab('waitEvent', 'stream_updated', { peer: 'alice', stream: 'audio_main', active: false });
  await alice.lab('run', "session.getSender('audio', 'audio_main').switch(lab.media, 'new label')");
  await bob.lab('waitEvent', 'stream_updated', { peer: 'alice', stream: 'audio_main', active: true });
});

test('session-lazy-publish-updatesdp: publishers, views of two peers, stop, publish again', {}, async (env) => {
  const [bob, carol] = await Promise.all([env.join('bob', BOTH), env.join('carol', BOTH)]);
  const alice = await env.join('alice', '{senders: [], receivers: {audio: 1, video: 1}}');
  await alice.lab('openMedia');
  await alice.lab('run', `
    const own = () => new MediaStream(lab.media.getTracks().map((track) => track.clone()));
    lab.pa = session.createPublisher(A({ stream: own() }));
    lab.pv = session.createPublisher(V({ stream: own() }));`);
  await seesAndHears(bob, alice);
  // One receiver of a kind is there; the second peer's come with an updateSdp after their receiver.switch.
  await alice.lab('run', `
    for (const peer of ['bob', 'carol']) {
      const stream = session.createConsumerPair(peer, 'audio_main', 'video_main').view('page');
      for (const kind of ['audio', 'video']) lab.keepView(peer + '/' + kind, kind, stream);
    }`);
  for (const peer of ['bob', 'carol']) {
    await alice.lab('run', `await lab.until('tracks', () => lab.views.get('${peer}/video').stream.getTracks().length === 2);
      const all = lab.views.get('${peer}/video').stream;
      lab.keepView('${peer}/audio', 'audio', new MediaStream(all.getAudioTracks()));
      lab.keepView('${peer}/video', 'video', new MediaStream(all.getVideoTracks()));`);
    await alice.flows(`${peer}/audio`, `${peer}/video`);
  }
  await alice.lab('run', 'lab.pv.stop()');
  await bob.lab('waitEvent', 'stream_removed', { peer: 'alice', stream: 'video_main' });
  await bob.lab('unview', 'alice/video_main');
  await alice.lab('run', 'session.createPublisher(V())');
  await carol.lab('waitRemotePlain', 'alice', 'video_main');
  await bob.lab('waitRemotePlain', 'alice', 'video_main');
  await seesAndHears(bob, alice, ['video_main']);
  await bob.flows('alice/audio_main');
  await alice.flows('bob/video', 'carol/video', 'bob/audio', 'carol/audio');
});

test('session-publisher-without-stream-then-switch: streams come, pause and end', {}, async (env) => {
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  const alice = await env.join('alice', '{senders: [], receivers: {audio: 1, video: 1}}', { before: `
    lab.pa = session.createPublisher({ name: 'audio_main', kind: 'audio' });
    lab.pv = session.createPublisher({ name: 'video_main', kind: 'video' });` });
  await alice.lab('openMedia');
  await alice.lab('run', 'lab.pv.switch(lab.media); lab.pa.switch(lab.media)');
  await seesAndHears(bob, alice);
  await alice.lab('run', 'lab.pv.switch(null)');
  await bob.lab('waitEvent', 'stream_updated', { peer: 'alice', stream: 'video_main', active: false });
  await bob.stops('alice/video_main');
  await alice.lab('run', 'lab.pv.stop()');
  await bob.lab('waitEvent', 'stream_removed', { peer: 'alice', stream: 'video_main' });
  await bob.flows('alice/audio_main');
});

test('session-updatesdp-extra-recvonly-mlines: ids bind to the receivers that were asked for', {}, async (env) => {
  const bob = await env.join('bob', BOTH);
  const alice = await env.join('alice', '{senders: [], receivers: {}}');
  await alice.lab('openMedia');
  await alice.lab('run', 'session.createPublisher(A())');
  await seesAndHears(bob, alice, ['audio_main']);
  await seesAndHears(alice, bob);
});

test('session-mixminus-manual: slots are bound, sources added and removed', {}, async (env) => {
  const bob = await env.join('bob', BOTH);
  const alice = await env.join('alice', "{senders: [A()], receivers: {audio: 1, video: 0}, mixMinusAudio: {mode: 'ManualAudioStreams'}}");
  await alice.lab('waitRemotePlain', 'bob', 'audio_main');
  await alice.lab('run', "await session.getMixMinusAudio().addSource(lab.remotes.get('bob/audio_main'))");
  await alice.lab('run', "await session.getMixMinusAudio().removeSource(lab.remotes.get('bob/audio_main'))");
  await seesAndHears(alice, bob, ['audio_main']);
  await seesAndHears(bob, alice, ['audio_main']);
});

test('session-ice-restart-loop: what the SDK says while it restarts', {}, async (env) => {
  const alice = await env.join('alice', BOTH);
  await seesAndHears(alice, alice);
  // An unanswered ping: its request never leaves.
  const ended = await alice.lab('run', `
    const send = lab.channel().send;
    lab.channel().send = () => {};
    setTimeout(() => { lab.channel().send = send; }, 300);
    return session.restartIce().then(() => 'restarted', (error) => error.message);`);
  assert.equal(ended, env.sdk === 'own' ? 'restarted' : 'Failed to reconnect');
  await alice.lab('waitEvent', 'reconnected');
  await alice.flows('alice/audio_main', 'alice/video_main');
  assert.equal(typeof await alice.lab('run', 'return session.ping()'), 'number');
});
