// Whole sessions against servers in memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../fakes/clock.js';
import { media } from '../fakes/peer_connection.js';
import { FakeAudio, FakeWorld } from '../fakes/world.js';
import type { ISessionConfig } from './config.js';
import { Session } from './session.js';

const HERE = 'http://one.example';

function start(more: Partial<ISessionConfig> = {}, urls: string | string[] = HERE) {
  const world = new FakeWorld();
  const session = new Session(urls, { roomId: 'room', peerId: 'me', token: 'token', ...more }, world.platform);
  const events: unknown[][] = [];
  for (const name of [
    'connected',
    'reconnecting',
    'reconnected',
    'disconnected',
    'peer_state',
    'dc_state',
    'room_stats',
    'closing',
    'error',
  ] as const) {
    session.on(name, (...args: unknown[]) => void events.push([name, ...args]));
  }
  for (const what of ['mystream_added', 'stream_added', 'stream_updated', 'stream_removed'] as const) {
    session.on(what, (remote) => void events.push([what, remote.peerId, remote.name]));
  }
  return { world, session, events, names: () => events.map((event) => event[0]) };
}

async function joined(more: Partial<ISessionConfig> = {}, urls: string | string[] = HERE) {
  const all = start(more, urls);
  await all.session.connect();
  await settle();
  return all;
}

const stream = (peer: string, name: string, kind = 'video', state: object = {}) => ({
  peer,
  peer_hash: peer.length,
  kind,
  stream: name,
  state: { scaling: 'single', layers: [], status: 'connected', active: true, ...state },
});

test('a connect call has the senders by their msids, and the receivers', async () => {
  const { world, session, names } = start({
    receivers: { audio: 1, video: 2 },
    senders: [
      { name: 'audio_main', kind: 'audio', stream: media('audio', 'video'), label: 'my mic' },
      {
        name: 'video_main',
        kind: 'video',
        stream: media('video'),
        simulcast: true,
        maxBitrate: 1_000_000,
        screen: true,
      },
      { name: 'later', kind: 'video' },
    ],
  });
  await session.connect();
  const body = world.called('/webrtc/connect')[0]?.body as Record<string, unknown>;
  assert.deepEqual(body['receivers'], { audio: 1, video: 2 });
  const [audio, video, later] = body['senders'] as Record<string, unknown>[];
  const lines = world.pc.transceivers;
  assert.deepEqual(audio, { uuid: lines[0]?.trackId, label: 'my mic', kind: 'audio', name: 'audio_main' });
  assert.deepEqual(video, {
    uuid: lines[1]?.trackId,
    label: 'a device',
    kind: 'video',
    name: 'video_main',
    screen: true,
    simulcast: true,
    max_bitrate: 1_000_000,
    content_hint: 'detail',
  });
  assert.equal(later?.['uuid'], lines[2]?.stream?.id, 'without a track it is named by its stream');
  assert.deepEqual(names(), [], 'connect resolves before anything is connected');
  await settle();
  assert.deepEqual(names(), ['peer_state', 'dc_state', 'connected']);
  assert.deepEqual(world.pc.channel?.options, { ordered: false, maxPacketLifeTime: 10_000 });
  assert.equal(session.wasConnected, true);
  await session.disconnect();
});

test('a refusal rejects with its code; the session may be connected again', async () => {
  const { world, session } = start();
  world.refusals.set('/webrtc/connect', 'INVALID_TOKEN');
  await assert.rejects(session.connect(), { code: 'INVALID_TOKEN', message: 'INVALID_TOKEN', detail: 'because' });
  world.refusals.clear();
  world.down.add(HERE);
  await assert.rejects(session.connect(), { code: 'NETWORK_ERROR' });
  world.down.clear();
  await session.connect();
  await settle();
  assert.equal(session.state, 'connected');
  await assert.rejects(session.connect(), { code: 'INVALID_USE' });
});

test('of several urls the first that is ready, and the next if that one is gone', async () => {
  const urls = ['http://one.example', 'http://two.example/', 'http://three.example'];
  const { world, session } = start({}, urls);
  world.notReady.add('http://one.example');
  world.refusals.set('/webrtc/connect', 'BUSY');
  await assert.rejects(session.connect(), { code: 'BUSY' });
  assert.deepEqual(
    world.called('/webrtc/connect').map((call) => call.url),
    ['http://two.example', 'http://three.example'],
  );
  world.notReady.add('http://two.example').add('http://three.example');
  await assert.rejects(session.connect(), { code: 'NO_SERVER' });
});

test('streams of the room are told, own ones apart', async () => {
  const { world, events } = await joined();
  await world.tell('stream_added', stream('bob', 'video_main'));
  await world.tell('stream_added', stream('me', 'audio_main', 'audio'));
  await world.tell('stream_updated', stream('bob', 'video_main', 'video', { active: false, scaling: 'simulcast' }));
  await world.tell('stream_removed', { ...stream('bob', 'video_main'), state: null });
  await world.tell('room_stats', { peers: 2 });
  assert.deepEqual(events.slice(3), [
    ['stream_added', 'bob', 'video_main'],
    ['mystream_added', 'me', 'audio_main'],
    ['stream_updated', 'bob', 'video_main'],
    ['stream_removed', 'bob', 'video_main'],
    ['room_stats', { peers: 2 }],
  ]);
});

test('a view takes a receiver, more views share it with the largest limits, the last gives it back', async () => {
  const { world, session } = await joined({ receivers: { video: 1 } });
  await world.tell('stream_added', stream('bob', 'video_main'));
  const consumer = session.createConsumer(session.streams[0]!);
  const states: string[] = [];
  consumer.on('state', (state) => states.push(state));
  const shown = consumer.view('a', { priority: 10, maxSpatial: 0, maxTemporal: 2 });
  assert.equal(shown.getTracks().length, 1, 'the track of the receiver is there');
  assert.equal(consumer.view('b', { priority: 70, maxSpatial: 1, maxTemporal: 1 }), shown);
  consumer.unview('b');
  await settle();
  assert.deepEqual(
    world.asked('receiver.switch').map((one) => one.data),
    [{ id: 'video_0', priority: 10, remote: { peer: 'bob', stream: 'video_main' } }],
  );
  assert.deepEqual(
    world.asked('receiver.limit').map((one) => Object.values(one.data.limit as object)),
    [
      [10, 0, 0, 0, 2],
      [70, 0, 0, 1, 2],
      [10, 0, 0, 0, 2],
    ],
  );
  await world.tell('local_stream_video_0_state', { state: 'live' });
  consumer.unview('a');
  await settle();
  assert.deepEqual(
    world.asked('receiver.disconnect').map((one) => one.data),
    [{ id: 'video_0' }],
  );
  assert.deepEqual(states, ['connecting', 'live', 'no_source']);
  assert.equal(session.takeReceiver('video').remoteId, 'video_0', 'it is free again');
  assert.equal(session.takeReceiver('video').remoteId, 'video_1', 'and then there is none');
});

test('lines that come together are offered together', async () => {
  const { world, session } = await joined();
  session.createPublisher({ name: 'audio_main', kind: 'audio', stream: media('audio') });
  session.createPublisher({ name: 'video_main', kind: 'video', stream: media('video') });
  session.takeReceiver('video');
  await world.clock.advance(30);
  const updates = world.asked('peer.updateSdp');
  assert.equal(updates.length, 1);
  assert.deepEqual(updates[0]?.data.receivers, { audio: 0, video: 1 });
  assert.deepEqual(
    (updates[0]?.data.senders as { name: string }[]).map((one) => one.name),
    ['audio_main', 'video_main'],
  );
});

test('two senders of one track are two streams', async () => {
  const camera = media('video');
  const { world } = await joined({
    senders: [
      { name: 'one', kind: 'video', stream: camera },
      { name: 'two', kind: 'video', stream: camera },
    ],
  });
  const uuids = (world.called('/webrtc/connect')[0]?.body.senders as { uuid: string }[]).map((one) => one.uuid);
  assert.equal(new Set(uuids).size, 2);
  assert.deepEqual(
    world.pc.transceivers.map((one) => one.sender.track),
    Array(2).fill(camera.getVideoTracks()[0]),
  );
});

test('a sender that the server refuses is closed, and the others go on', async () => {
  const { world, session, events } = await joined();
  world.rpcRefusals.set('peer.updateSdp', 'FORBIDDEN');
  const { warn } = console;
  console.warn = () => {};
  const publisher = session.createPublisher({ name: 'video_main', kind: 'video', stream: media('video') });
  await world.clock.advance(30);
  console.warn = warn;
  assert.equal(publisher.state, 'closed');
  assert.equal(events.filter((event) => event[0] === 'error').length >= 1, true);
  world.rpcRefusals.clear();
  session.createPublisher({ name: 'video_main', kind: 'video', stream: media('video') });
  await world.clock.advance(30);
  assert.equal((world.asked('peer.updateSdp').at(-1)?.data.senders as unknown[]).length, 1);
});

test('an answer that the browser does not take is followed by a new connection', async () => {
  const { world, session } = await joined();
  world.pc.setRemoteDescription = async () => {
    throw new Error('InvalidAccessError');
  };
  const publisher = session.createPublisher({ name: 'video_main', kind: 'video', stream: media('video') });
  await world.clock.advance(100);
  assert.equal(world.connections.length, 2);
  assert.equal(session.state, 'connected');
  assert.notEqual(publisher.state, 'closed');
  assert.equal((world.called('/webrtc/connect').at(-1)?.body.senders as unknown[]).length, 1);
});

test('an offer that is not answered is made again', async () => {
  const { world, session } = await joined();
  world.rpcRefusals.set('peer.updateSdp', 'silent');
  const publisher = session.createPublisher({ name: 'video_main', kind: 'video', stream: media('video') });
  await world.clock.advance(15_000);
  world.rpcRefusals.clear();
  await world.clock.advance(1_000);
  assert.equal(session.state, 'connected');
  assert.notEqual(publisher.state, 'closed');
  assert.equal(world.pc.transceivers[0]?.mid, '0');
});

test('a connection that fails before it was up is made anew', async () => {
  const { world, session, names } = start();
  world.comesUp = false;
  await session.connect();
  world.comesUp = true;
  world.pc.become('failed');
  await world.clock.advance(100);
  assert.equal(session.state, 'connected');
  assert.equal(names().filter((name) => name === 'connected').length, 1);
});

test('one that does not come up at all is made anew after the server has dropped it', async () => {
  const { world, session } = start();
  world.comesUp = false;
  await session.connect();
  world.comesUp = true;
  await world.clock.advance(19_900);
  assert.equal(world.connections.length, 1);
  await world.clock.advance(200);
  assert.equal(session.state, 'connected');
});

test('off, on under another label, stopped, and the name is free again', async () => {
  const camera = media('video');
  const { world, session } = await joined({ senders: [{ name: 'video_main', kind: 'video', stream: camera }] });
  const sender = session.getSender('video', 'video_main')!;
  const states: string[] = [];
  sender.on('state', (state) => states.push(state));
  sender.switch(null);
  sender.switch(camera, 'front');
  await world.tell('remote_stream_video_main_state', { state: 'connected' });
  const stopped = sender.stop();
  const [off, on, end] = world.asked('sender.toggle').map((one) => one.data as Record<string, unknown>);
  assert.deepEqual(off, { name: 'video_main', kind: 'video' });
  assert.deepEqual(on, { name: 'video_main', kind: 'video', track: world.pc.transceivers[0]?.trackId, label: 'front' });
  assert.deepEqual(end, { name: 'video_main', kind: 'video', track: null });
  assert.deepEqual(states, ['deactived', 'connecting', 'connected', 'closed']);
  assert.equal(camera.getVideoTracks()[0]?.readyState, 'ended');
  await stopped;
  session.createSender({ name: 'video_main', kind: 'video', stream: media('video') });
  assert.throws(() => session.createSender({ name: 'video_main', kind: 'video' }), { code: 'INVALID_USE' });
  await world.clock.advance(30);
  assert.equal((world.asked('peer.updateSdp').at(-1)?.data.senders as unknown[]).length, 1);
});

test('a name that is free again is offered only when the server knows that its sender was stopped', async () => {
  const { world, session } = await joined({ senders: [{ name: 'video_main', kind: 'video', stream: media('video') }] });
  world.rpcRefusals.set('sender.toggle', 'silent');
  void session.getSender('video', 'video_main')!.stop();
  session.createPublisher({ name: 'video_main', kind: 'video', stream: media('video') });
  await world.clock.advance(1_000);
  assert.equal(world.asked('peer.updateSdp').length, 0, 'the channel keeps no order');
  world.toClient({ type: 'answer', req_id: world.asked('sender.toggle')[0]?.req_id, success: true, data: true });
  await world.clock.advance(30);
  assert.equal((world.asked('peer.updateSdp')[0]?.data.senders as unknown[]).length, 1);
});

test('a limit of the server goes to the encodings', async () => {
  const { world } = await joined({
    senders: [{ name: 'cam', kind: 'video', stream: media('video'), simulcast: true }],
  });
  await world.tell('remote_stream_cam_limit', { max_bitrate: 100_000, layers: [] });
  const encodings = () =>
    (world.pc.transceivers[0]?.sender.getParameters().encodings as { active: boolean; maxBitrate?: number }[]).map(
      (one) => [one.active, one.maxBitrate],
    );
  assert.deepEqual(encodings()[0], [true, 100_000]);
  assert.deepEqual(
    encodings().map((one) => one[0]),
    [true, false, false],
  );
  await world.tell('remote_stream_cam_limit', { max_bitrate: 0, layers: [0, 1, 2] });
  assert.deepEqual(encodings(), [
    [true, undefined],
    [true, undefined],
    [true, undefined],
  ]);
});

test('the properties that go to the browser: codecs, latency, ICE servers of both sides', async () => {
  const world = new FakeWorld();
  world.codecs = { audio: ['audio/opus', 'audio/red'], video: ['video/VP8', 'video/H264', 'video/VP9', 'video/rtx'] };
  world.more = { ice_servers: [{ urls: 'turn:theirs' }] };
  const session = new Session(
    HERE,
    {
      roomId: 'room',
      peerId: 'me',
      token: 't',
      latencyMode: 'smooth-500',
      codecs: ['VP9', 'VP8'],
      iceServers: [{ urls: 'stun:ours' }],
      receivers: { video: 1 },
      senders: [{ name: 'v', kind: 'video', stream: media('video'), preferredCodecs: ['VP8'], contentHint: 'motion' }],
    },
    world.platform,
  );
  await session.connect();
  const [sends, receives] = world.pc.transceivers;
  assert.deepEqual(sends?.preferences, ['video/VP8', 'video/VP9', 'video/rtx']);
  assert.deepEqual(receives?.preferences, ['video/VP9', 'video/VP8', 'video/rtx']);
  assert.equal(receives?.receiver.jitterBufferTarget, 500);
  assert.equal(sends?.sender.track.contentHint, 'motion');
  assert.deepEqual(
    world.pc.configurations.map((one) => one.iceServers),
    [[{ urls: 'stun:ours' }], [{ urls: 'stun:ours' }, { urls: 'turn:theirs' }]],
  );
});

test('quality is told by the name of its peer to receiver and stream', async () => {
  const { world, session } = await joined({ receivers: { video: 1 } });
  await world.tell('stream_added', stream('bob', 'video_main'));
  const told: unknown[] = [];
  session.streams[0]!.on('quality', (quality) => told.push(quality));
  const consumer = session.createConsumer(session.streams[0]!);
  consumer.on('quality', (quality) => told.push(quality));
  consumer.view('k');
  await world.tell('local_stream_video_0_quality', { mos: 4200, peer: 3, name: 'video_main' });
  assert.deepEqual(told, Array(2).fill({ peer: 'bob', name: 'video_main', kind: 'video', mos: 4.2 }));
});

test('a server that has gone and comes back: a new connection, views and limits are told again', async () => {
  const { world, session, events, names } = await joined({
    receivers: { video: 1 },
    senders: [{ name: 'a', kind: 'audio', stream: media('audio') }],
  });
  await world.tell('stream_added', stream('bob', 'video_main'));
  await world.tell('stream_added', stream('eve', 'video_main'));
  const shown = session.createConsumer(session.streams[0]!).view('k');
  const before = shown.getTracks()[0];
  await settle();
  world.down.add(HERE);
  world.requests.length = 0;
  world.pc.become('disconnected');
  await world.clock.advance(15_000);
  assert.deepEqual(names().slice(-2), ['peer_state', 'reconnecting'], 'told once');
  assert.equal(world.connections.length, 1, 'the session may still live there');
  world.down.clear();
  world.refusals.set('/webrtc/ice_restart', 'CONN_NOT_FOUND');
  await world.clock.advance(3_000);
  assert.equal(session.state, 'connected');
  assert.deepEqual(names().slice(-3), ['dc_state', 'peer_state', 'reconnected']);
  assert.equal(world.connections.length, 2);
  assert.deepEqual(
    world.asked('receiver.switch').map((one) => one.data.remote),
    [{ peer: 'bob', stream: 'video_main' }],
  );
  assert.equal(world.asked('receiver.limit').length, 1);
  assert.equal(shown.getTracks().length, 1, 'the same stream');
  assert.notEqual(shown.getTracks()[0], before, 'with a new track');
  assert.equal((world.called('/webrtc/connect').at(-1)?.body.senders as unknown[]).length, 1);
  await world.tell('stream_added', stream('bob', 'video_main'));
  await world.clock.advance(10_000);
  assert.deepEqual(
    events.filter((event) => String(event[0]).startsWith('stream')).map((event) => event.slice(0, 2)),
    [
      ['stream_added', 'bob'],
      ['stream_added', 'eve'],
      ['stream_removed', 'eve'],
    ],
    'who did not come back is gone',
  );
});

test('a path that was away for a moment is the same connection, by a restart of ICE', async () => {
  const { world, session, names } = await joined();
  world.pc.become('disconnected');
  await world.clock.advance(500);
  assert.equal(session.state, 'connected');
  assert.equal(world.pc.restarts, 1);
  assert.equal(world.connections.length, 1);
  assert.deepEqual(names().slice(-2), ['peer_state', 'reconnected']);
});

test('what is asked for while the connection is away is done when it is back', async () => {
  const { world, session } = await joined({ receivers: { video: 1 } });
  await world.tell('stream_added', stream('bob', 'video_main'));
  world.down.add(HERE);
  world.pc.channel!.readyState = 'closed';
  world.pc.channel!.dispatchEvent(new Event('close'));
  await settle();
  world.requests.length = 0;
  const receiver = session.takeReceiver('video');
  const switched = receiver.switch(session.streams[0]!);
  session.createSender({ name: 'new', kind: 'audio', stream: media('audio') });
  await world.clock.advance(1_000);
  world.down.clear();
  await world.clock.advance(3_000);
  assert.equal(await switched, true);
  assert.equal(world.asked('receiver.switch').length, 1);
  assert.equal((world.called('/webrtc/connect').at(-1)?.body.senders as unknown[]).length, 1);
});

test('a server that shuts down sends its sessions elsewhere', async () => {
  const { world, session, events } = await joined({}, ['http://one.example', 'http://two.example']);
  await world.tell('session_closing', { reason: 'shutdown', retry_ms: 5000 });
  world.down.add('http://one.example');
  await world.clock.advance(100);
  assert.deepEqual(
    events.filter((event) => event[0] === 'closing'),
    [['closing', { reason: 'shutdown', retryMs: 5000 }]],
  );
  assert.equal(session.state, 'connected');
  assert.equal(world.called('/webrtc/connect').at(-1)?.url, 'http://two.example');
});

test('one who was replaced does not come back', async () => {
  const { world, session, events } = await joined();
  await world.tell('session_closing', { reason: 'replaced' });
  assert.deepEqual(events.slice(-2), [
    ['dc_state', 'closed'],
    ['disconnected', 'replaced'],
  ]);
  assert.equal(session.disconnected, true);
  await world.clock.advance(60_000);
  assert.equal(world.connections.length, 1);
});

test('without reconnection a lost channel is the end', async () => {
  const { world, events } = await joined({ reconnect: false });
  world.pc.channel!.dispatchEvent(new Event('close'));
  assert.deepEqual(events.at(-1), ['disconnected', 'CONNECTION_LOST']);
});

test('a token that the server refuses at a reconnection is renewed', async () => {
  let renewed = 0;
  const { world, session } = await joined({ renewToken: async () => `token-${++renewed}` });
  world.refusals.set('/webrtc/connect', 'INVALID_TOKEN');
  const { fetch } = world.platform;
  world.platform.fetch = (url, init) => {
    if (renewed) world.refusals.clear();
    return fetch(url, init);
  };
  world.pc.channel!.dispatchEvent(new Event('close'));
  await world.clock.advance(100);
  assert.equal(session.state, 'connected');
  assert.deepEqual(
    world.called('/webrtc/connect').map((call) => call.body.token),
    ['token', 'token', 'token-1'],
  );
});

test('a token is renewed in call before it expires', async () => {
  const soon = (seconds: number) =>
    'h.' + Buffer.from(JSON.stringify({ exp: Date.now() / 1000 + seconds })).toString('base64url') + '.s';
  const next = soon(3600);
  const { world } = await joined({ token: soon(40), renewToken: async () => next });
  await world.clock.advance(11_000);
  assert.deepEqual(
    world.asked('peer.token').map((one) => one.data),
    [{ token: next }],
  );
});

test('a token that comes after the end has no effect', async () => {
  const soon = (seconds: number) =>
    'h.' + Buffer.from(JSON.stringify({ exp: Date.now() / 1000 + seconds })).toString('base64url') + '.s';
  let give: (token: string) => void = () => {};
  const { world, session } = await joined({
    token: soon(31),
    renewToken: () => new Promise((resolve) => (give = resolve)),
  });
  await world.clock.advance(2_000);
  await session.disconnect();
  give(soon(3600));
  await settle();
  assert.equal(world.clock.pending, 0);
});

test('an unanswered ping rejects, and ICE is restarted', async () => {
  const { world, session } = await joined();
  world.rpcRefusals.set('peer.ping', 'silent');
  const ping = assert.rejects(session.ping(), { code: 'TIMEOUT' });
  await world.clock.advance(500);
  await ping;
  assert.equal(session.state, 'reconnecting');
  world.rpcRefusals.clear();
  await world.clock.advance(1_100);
  assert.equal(world.pc.restarts, 1);
  assert.equal(session.state, 'connected');
});

test('mix-minus: slots are bound, sources told, states are events', async () => {
  const { world, session } = await joined({ receivers: { audio: 1 }, mixMinusAudio: { mode: 'ManualAudioStreams' } });
  const mixer = session.getMixMinusAudio()!;
  assert.equal(world.called('/webrtc/connect')[0]?.body.receivers.audio, 4);
  assert.deepEqual(
    world.asked('receiver.switch').map((one) => [one.data.id, one.data.remote.stream]),
    [0, 1, 2].map((i) => [`audio_${i}`, `mix_minus_default_${i}`]),
  );
  await mixer.addSourceManual('bob', 'audio_main');
  assert.deepEqual(world.asked('mix_minus.add')[0]?.data, {
    id: 'default',
    remote: { peer: 'bob', stream: 'audio_main' },
  });
  const told: unknown[] = [];
  mixer.on('slot_0', (slot) => told.push(slot));
  mixer.on('source_bob-audio_main', (level) => told.push(level));
  for (let i = 0; i < 2; ++i) {
    await world.tell('mix_minus_default_state', {
      active: [['bob-audio_main', -30], null, null],
      sources: { 'bob-audio_main': -30 },
    });
  }
  await world.tell('mix_minus_default_state', { active: [null, null, null], sources: {} });
  assert.deepEqual(told, [['bob-audio_main', -30], -30, null, null]);
  assert.equal(session.takeReceiver('audio').remoteId, 'audio_3', "slots are nobody else's");
});

test('a browser that forbids sound is asked again at the next gesture', async () => {
  FakeAudio.allowed = false;
  const { world, session } = start({ mixMinusAudio: { mode: 'AllAudioStreams' } });
  const mixer = session.getMixMinusAudio()!,
    told: string[] = [];
  mixer.on('autoplay_blocked', () => told.push('blocked'));
  mixer.on('autoplay_resumed', () => told.push('resumed'));
  await session.connect();
  await settle();
  assert.deepEqual([told, mixer.blocked], [['blocked'], true]);
  FakeAudio.allowed = true;
  world.page.dispatchEvent(new Event('keydown'));
  await settle();
  assert.deepEqual(told, ['blocked', 'resumed']);
  assert.ok(world.audios.every((audio) => audio.plays > 0 && audio.srcObject));
  await session.disconnect();
  assert.ok(world.audios.every((audio) => audio.srcObject === null));
});

test('a mixer that waits for a gesture when it ends waits no more', async () => {
  FakeAudio.allowed = false;
  const { world, session } = await joined({ mixMinusAudio: { mode: 'AllAudioStreams' } });
  assert.ok(world.listeners.size > 1);
  await session.disconnect();
  await settle();
  FakeAudio.allowed = true;
  assert.equal(world.listeners.size, 0);
});

test('disconnect leaves nothing behind, and the application its own tracks', async () => {
  const own = media('audio', 'video');
  const { world, session, events } = await joined({
    receivers: { audio: 1, video: 1 },
    mixMinusAudio: { mode: 'AllAudioStreams' },
    senders: [
      { name: 'a', kind: 'audio', stream: own },
      { name: 'v', kind: 'video', stream: own },
    ],
  });
  await world.tell('stream_added', stream('bob', 'video_main'));
  const shown = session.createConsumer(session.streams[0]!).view('k');
  const pending = session.takeReceiver('audio').switchTo({ peer: 'x', stream: 'y' });
  world.rpcRefusals.set('receiver.switch', 'silent');
  void pending;
  await session.disconnect();
  await settle();
  assert.equal(world.clock.pending, 0, 'no timer');
  assert.equal(world.listeners.size, 0, 'no listener');
  assert.equal(world.pc.connectionState, 'closed');
  assert.deepEqual(shown.getTracks(), [], 'no track');
  assert.deepEqual(
    world.pc.transceivers.map((one) => one.sender.track),
    Array(world.pc.transceivers.length).fill(null),
  );
  assert.deepEqual(
    own.getTracks().map((track) => track.readyState),
    ['live', 'live'],
  );
  assert.deepEqual(world.calls.at(-1)?.method, 'DELETE');
  assert.deepEqual(
    events.filter((event) => event[0] === 'disconnected'),
    [],
    'it was asked for',
  );
  assert.throws(() => session.createSender({ name: 'n', kind: 'audio' }), { code: 'CLOSED' });
  world.pc.become('failed');
  await world.clock.advance(60_000);
  assert.equal(world.connections.length, 1);
});

test('a disconnect while a reconnection is under way ends that, too', async () => {
  const { world, session } = await joined();
  world.comesUp = false;
  world.pc.channel!.dispatchEvent(new Event('close'));
  await settle();
  assert.equal(session.state, 'reconnecting');
  await session.disconnect();
  await world.clock.advance(60_000);
  assert.equal(world.clock.pending, 0);
  assert.ok(world.connections.every((one) => one.connectionState === 'closed'));
});
