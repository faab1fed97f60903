// One test for each property of a configuration (session-protocol of the first generation, section 1), and for each
// value of those that are chosen from a list. Behind its name stands with which switches it has to fail: the property,
// where its value differs from what is without it, and the value.
'use strict';

// ---- a call that hangs on none of them ----------------------------------------------------------------------------------

test('smoke: a call', [], async (run) => {
  const join = async (peer) => {
    const session = run.create(peer);
    run.publish(session, { name: 'sound-' + peer, kind: 'audio', stream: quiet() });
    run.publish(session, { name: 'picture-' + peer });
    return run.connect(session);
  };
  const [ann, bob] = await Promise.all([join('ann'), join('bob')]);
  const see = async (session, other, peer) => {
    const all = await run.until('both are announced', () => {
      const theirs = session.streams.filter((one) => run.isOf(one, other, ['sound-' + peer, 'picture-' + peer]));
      return theirs.length === 2 && theirs;
    });
    await Promise.all(all.map((remote) => run.viewRemote(session, remote)));
  };
  await Promise.all([see(ann, bob, 'bob'), see(bob, ann, 'ann')]);
});

// ---- the session --------------------------------------------------------------------------------------------------------

test('roomId', ['roomId'], async (run) => {
  const elsewhere = await run.connect(run.create('stranger', { roomId: run.room + '-2' }));
  const ann = await run.publisher('ann', {});
  await run.remote(await run.viewer(), ann);
  await pause(200);
  check(!run.known(elsewhere, ann), 'another room knows of it');
});

test('peerId', ['peerId'], async (run) => {
  const ann = await run.publisher('ann', {});
  same((await run.remote(await run.viewer(), ann)).peerId, run.name('ann'), 'the peer');
});

test('token', ['token'], async (run) => {
  const session = run.create('ann', { token: properties.given.elsewhereToken });
  same(await session.connect().then(() => 'taken', (error) => error.code), 'INVALID_TOKEN', 'a token of another room');
});

test('renewToken', ['renewToken'], async (run) => {
  const { anyToken, endingToken } = properties.given;
  let asked = 0;
  const session = await run.connect(run.create('ann', { renewToken: async () => (++asked, anyToken) }));
  await session.setToken(endingToken).catch(() => {}); // it may have ended
  await run.until('it is asked for another', () => asked > 0);
});

test('senders', ['senders'], async (run) => {
  const sender = { name: run.name('stream'), kind: 'video', stream: run.keep(picture()) };
  const ann = run.create('ann', { senders: [sender] });
  same(ann.peerConnection.getTransceivers().filter((one) => one.direction === 'sendonly').length, 1, 'senders');
  ann.getSender('video', sender.name)?.switch(sender.stream);
  await run.connect(ann);
  await run.view(await run.viewer(), ann);
});

test('receivers', ['receivers'], async (run) => {
  const ann = await run.publisher('ann', {});
  const session = run.create('viewer', { receivers: { audio: 2, video: 1 } });
  const lines = () => session.peerConnection.getTransceivers().filter((one) => one.direction === 'recvonly');
  same(lines().map((one) => one.receiver.track.kind).sort().join(), 'audio,audio,video', 'receivers');
  await run.connect(session);
  await run.view(session, ann);
  same(lines().length, 3, 'receivers in use');
});

const MODES = { 'ultra-low': 0, default: null, 'smooth-200': 200, 'smooth-500': 500, 'smooth-800': 800, 'smooth-1000': 1000,
  'smooth-2000': 2000 };
for (const [mode, target] of Object.entries(MODES)) {
  const turns = mode === 'default' ? ['latencyMode=default'] : ['latencyMode', 'latencyMode=' + mode];
  test('latencyMode ' + mode, turns, async (run) => {
    const session = run.create('viewer', { latencyMode: mode });
    const receivers = [session.createReceiver('audio'), session.createReceiver('video')];
    await run.connect(session);
    for (const { rtcReceiver } of receivers) same(rtcReceiver.jitterBufferTarget, target, 'the target');
  });
}

test('iceServers', ['iceServers'], async (run) => {
  const session = await run.connect(run.create('ann', { iceServers: [{ urls: 'stun:127.0.0.1:3478' }] }));
  const { iceServers } = session.peerConnection.getConfiguration();
  same(iceServers.map((one) => [].concat(one.urls)[0]).join(), 'stun:127.0.0.1:3478', 'the servers');
});

// VP8 is what a browser takes by itself.
const OTHER = { VP8: 'VP9', VP9: 'VP8', H264: 'VP8', AV1: 'VP8' };
for (const [codec, other] of Object.entries(OTHER)) {
  for (const property of ['codecs', 'preferredCodecs']) {
    const turns = codec === 'VP8' ? [`${property}=VP8`] : [property, `${property}=${codec}`];
    test(`${property} ${codec}`, turns, async (run) => {
      const wish = { [property]: [codec, other] };
      const ann = await run.publisher('ann', property === 'codecs' ? {} : wish, property === 'codecs' ? wish : {});
      const { report } = await run.view(await run.viewer(), ann);
      same(report.codec, 'video/' + codec, 'what is sent');
    });
  }
}

test('codecs OPUS', ['codecs=OPUS'], async (run) => {
  const ann = await run.publisher('ann', { kind: 'audio', stream: quiet() }, { codecs: ['OPUS', 'VP8'] });
  const line = ann.peerConnection.getTransceivers().find((one) => one.sender === ann.sender.rtcSender);
  same(line?.currentDirection, 'sendonly', 'the m-line');
  const { report } = await run.view(await run.viewer(), ann);
  same(report.codec, 'audio/opus', 'what is sent');
});

// The limit of a stream that is viewed: its own maximum, of which it has none; that of the session; none is told.
const LIMITS = { SumBitrateWithClientSide: 0, SumBitrateOnly: null, PerStream: 'some' };
for (const [mode, limit] of Object.entries(LIMITS)) {
  const isDefault = mode === 'SumBitrateWithClientSide';
  const turns = [...(isDefault ? [] : ['bitrateControlMode']), 'bitrateControlMode=' + mode];
  test('bitrateControlMode ' + mode, turns, async (run) => {
    const ann = await run.publisher('ann', {}, { bitrateControlMode: mode });
    await run.view(await run.viewer(), ann);
    await pause(200);
    const told = ann.heard.limits.filter((one) => one.layers.length).at(-1) ?? null;
    check(limit === 'some' ? told?.maxBitrate > 0 : (told && told.maxBitrate) === limit, `told ${JSON.stringify(told)}`);
  });
}

// ---- the mixer ------------------------------------------------------------------------------------------------------------

const talker = (run, peer) => run.publisher(peer, { name: peer, kind: 'audio', stream: loud() });

// That publisher is one of those whom the mixer hears.
const hears = (run, mixer, publisher, name) =>
  Object.keys(mixer.state.sources).some((one) => one.startsWith(publisher.label + '-') || one.endsWith('-' + run.name(name)));

test('mixMinusAudio AllAudioStreams', ['mixMinusAudio', 'mode', 'mode=AllAudioStreams'], async (run) => {
  const session = await run.viewer({ mixMinusAudio: { mode: 'AllAudioStreams' } });
  const ann = await talker(run, 'ann');
  const mixer = session.getMixMinusAudio();
  check(mixer, 'there is no mixer');
  await run.until('she is heard', () => hears(run, mixer, ann, 'ann'));
});

test('mixMinusAudio ManualAudioStreams', ['mixMinusAudio', 'mode=ManualAudioStreams'], async (run) => {
  const session = await run.viewer({ mixMinusAudio: { mode: 'ManualAudioStreams' } });
  const [ann, bob] = await Promise.all([talker(run, 'ann'), talker(run, 'bob')]);
  const mixer = session.getMixMinusAudio();
  check(mixer, 'there is no mixer');
  await mixer.addSource(await run.remote(session, ann, 'ann'));
  await run.until('she is heard', () => hears(run, mixer, ann, 'ann'));
  await pause(700); // levels are told twice a second
  check(!hears(run, mixer, bob, 'bob'), 'one is heard who was not named');
});

test('mixMinusAudio elements', ['mixMinusAudio', 'elements'], async (run) => {
  const elements = [0, 1, 2].map(() => document.createElement('audio'));
  const session = await run.viewer({ mixMinusAudio: { mode: 'ManualAudioStreams', elements } });
  same(session.getMixMinusAudio()?.elements[0], elements[0], 'the first element');
  await run.until('they play', () => elements.every((one) => one.srcObject?.getTracks().length === 1));
});

// ---- what is told of whom -------------------------------------------------------------------------------------------------

const SCOPES = {
  'subScope full': [['subScope=full'], { subScope: 'full' }, {}, true],
  'subScope stream_only': [['subScope', 'subScope=stream_only'], { subScope: 'stream_only' }, {}, false],
  'pubScope full': [['pubScope=full'], {}, { pubScope: 'full' }, true],
  'pubScope stream_only': [['pubScope', 'pubScope=stream_only'], {}, { pubScope: 'stream_only' }, false],
};
for (const [name, [turns, viewer, publisher, isTold]] of Object.entries(SCOPES)) {
  test(name, turns, async (run) => {
    const session = await run.viewer(viewer);
    const ann = await run.publisher('ann', {}, publisher);
    const { peerId } = await run.remote(session, ann);
    await pause(200);
    same(session.heard.peers.some((one) => one.peerId === peerId), isTold, 'the peer is told');
  });
}

test('subScope manual', ['subScope', 'subScope=manual'], async (run) => {
  const ann = await run.publisher('ann', {});
  const mine = await run.until('its own stream is announced', () => ann.streams.find((one) => run.isOf(one, ann, ['stream'])));
  const session = await run.viewer({ subScope: 'manual' });
  await pause(300);
  check(!run.known(session, ann), 'it knows of it unasked');
  await session.subscribePeer(mine.peerId);
  await run.remote(session, ann);
});

test('metadata', ['metadata'], async (run) => {
  const session = await run.viewer();
  const ann = await run.publisher('ann', {}, { metadata: run.name('of ann') });
  const { peerId } = await run.remote(session, ann);
  const told = await run.until('the peer is told', () => session.heard.peers.find((one) => one.peerId === peerId));
  same(told.metadata, run.name('of ann'), 'the metadata');
});

// ---- a sender -------------------------------------------------------------------------------------------------------------

test('name', ['name'], async (run) => {
  const ann = await run.publisher('ann', { name: 'named' });
  same((await run.remote(await run.viewer(), ann, 'named')).name, run.name('named'), 'the name');
});

for (const kind of ['audio', 'video']) {
  test('kind ' + kind, ['kind', 'kind=' + kind], async (run) => {
    const both = run.keep(new MediaStream([...quiet().getTracks(), ...picture().getTracks()]));
    const ann = run.create('ann');
    ann.createSender({ name: run.name('stream'), kind, stream: both }).switch(both);
    await run.connect(ann);
    const session = await run.viewer();
    same((await run.remote(session, ann)).kind, kind, 'what is announced');
    await run.view(session, ann);
  });
}

test('stream', ['stream'], async (run) => {
  const ann = run.create('ann');
  const sender = ann.createSender({ name: run.name('stream'), kind: 'video', stream: run.keep(picture()) });
  check(sender.stream, 'it has no stream');
  await run.connect(ann);
  await run.view(await run.viewer(), ann);
});

test('simulcast', ['simulcast'], async (run) => {
  const ann = await run.publisher('ann', { simulcast: true, stream: picture(640) });
  same(ann.sender.rtcSender.getParameters().encodings.length, 3, 'layers');
  const { remote } = await run.view(await run.viewer(), ann);
  await run.until('it is told', () => remote.state.scaling === 'simulcast');
});

test('maxBitrate', ['maxBitrate'], async (run) => {
  const ann = await run.publisher('ann', { maxBitrate: 60_000 });
  same(ann.sender.rtcSender.getParameters().encodings[0].maxBitrate, 60_000, 'the most');
  check(/b=TIAS:60000\b/.test(ann.peerConnection.remoteDescription.sdp), 'the server does not say so');
});

test('label', ['label'], async (run) => {
  const ann = await run.publisher('ann', { label: 'my camera' });
  same((await run.remote(await run.viewer(), ann)).state.label, 'my camera', 'the label');
});

test('screen', ['screen'], async (run) => {
  const ann = await run.publisher('ann', { screen: true });
  same(ann.sender.rtcSender.track.contentHint, 'detail', 'the hint');
  same((await run.view(await run.viewer(), ann)).report.contentType, 'screenshare', 'what viewers get');
});

test('contentHint detail', ['contentHint', 'contentHint=detail'], async (run) => {
  const ann = await run.publisher('ann', { contentHint: 'detail' });
  same(ann.sender.rtcSender.track.contentHint, 'detail', 'the hint');
  same((await run.view(await run.viewer(), ann)).report.contentType, 'screenshare', 'what viewers get');
});

for (const [hint, before, after] of [['motion', '', 'motion'], ['none', 'detail', '']]) {
  test('contentHint ' + hint, ['contentHint', 'contentHint=' + hint], async (run) => {
    const stream = picture();
    stream.getVideoTracks()[0].contentHint = before;
    const ann = await run.publisher('ann', { contentHint: hint, stream });
    same(ann.sender.rtcSender.track.contentHint, after, 'the hint');
    same((await run.view(await run.viewer(), ann)).report.contentType, undefined, 'what viewers get');
  });
}

// ---- a receiver -------------------------------------------------------------------------------------------------------------

const ask = (path) => fetch(properties.given.url + path, { headers: { authorization: 'Bearer ' + properties.given.secret } })
  .then((response) => response.json()).then((answer) => answer.data);

// What the server knows of the limits of whoever shows that stream, by the admin API.
async function limitsOf(run, publisher) {
  const { rooms } = await ask('/admin/rooms');
  const all = await Promise.all(rooms.map((room) => ask('/admin/rooms/' + encodeURIComponent(room.room))));
  const receivers = all.flatMap((room) => room?.peers ?? []).flatMap((peer) => peer.receivers);
  return receivers.find(({ remote }) => remote && (remote.peer === publisher.label || remote.stream === run.name('stream')))?.limit;
}

const WANTED = { priority: 70, minSpatial: 1, maxSpatial: 1, minTemporal: 1, maxTemporal: 1 };
for (const [field, value] of Object.entries(WANTED)) {
  test('limit ' + field, ['limit.' + field], async (run) => {
    const ann = await run.publisher('ann', {});
    const session = await run.viewer();
    const receiver = session.takeReceiver('video');
    check(await receiver.switch(await run.remote(session, ann)), 'the switch is taken');
    check(await receiver.limit(WANTED), 'the limit is taken');
    const limits = await limitsOf(run, ann);
    same(limits?.[field.replace(/[A-Z]/, (letter) => '_' + letter.toLowerCase())], value, 'what the server knows');
  });
}
