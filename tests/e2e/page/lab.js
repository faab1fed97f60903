// The test page's side: one SDK session, what it said, and facts about the media that came. Driven by harness/peer.mjs.
// It wraps RTCPeerConnection before the SDK loads, only to keep hold of the connections and of the data channel.
'use strict';

const QUIET_MS = 700; // longer than any gap of running media here: 30 frames and 50 audio packets a second

const lab = {
  session: null,
  connections: [],
  channels: [],
  messages: [], // from the server: {type, event | req_id, data}
  events: [], // of the session: [name, detail]
  remotes: new Map(), // "peer/stream" -> StreamRemote, own streams too
  describes: false, // asks for the dependency descriptor, which Chromium offers only together with a scalability mode
  views: new Map(), // id -> {consumer, stream, element, kind}
  media: null,
};
globalThis.lab = lab;

// ---- holding on to what the SDK makes -------------------------------------------------------------------------------

const NativeConnection = globalThis.RTCPeerConnection;
globalThis.RTCPeerConnection = class extends NativeConnection {
  constructor(...args) {
    super(...args);
    lab.connections.push(this);
  }
  createOffer(...args) {
    if (lab.describes) this.getTransceivers().forEach(lab.askForDescriptor);
    return super.createOffer(...args);
  }
  createDataChannel(...args) {
    const channel = super.createDataChannel(...args);
    lab.channels.push(channel);
    channel.addEventListener('message', (event) => lab.keepMessage(event.data));
    return channel;
  }
};

lab.askForDescriptor = (transceiver) => {
  if (transceiver.receiver.track.kind !== 'video') return;
  const extensions = transceiver.getHeaderExtensionsToNegotiate();
  for (const extension of extensions) {
    if (/dependency-descriptor|layers-allocation/.test(extension.uri)) extension.direction = 'sendrecv';
  }
  transceiver.setHeaderExtensionsToNegotiate(extensions);
};

lab.keepMessage = async (data) => {
  let text = data;
  if (typeof data !== 'string') {
    const inflated = new Blob([data]).stream().pipeThrough(new DecompressionStream('deflate'));
    text = await new Response(inflated).text();
  }
  lab.messages.push(JSON.parse(text));
};

// ---- end-to-end encryption: of all that this page's session sends and receives -------------------------------------------

// To be called before the connect. isVp8: the video is VP8, of which the first bytes stay in the clear.
lab.encryptAll = (key, isVp8) => {
  const worker = new Worker('/encryption_worker.js');
  for (const { sender, receiver } of lab.connections[0].getTransceivers()) {
    const of = (side, kind) => new RTCRtpScriptTransform(worker, { side, key, isVp8: isVp8 && kind === 'video' });
    if (sender.track) sender.transform = of('encrypt', sender.track.kind);
    receiver.transform = of('decrypt', receiver.track.kind);
  }
};

// ---- waiting for facts ----------------------------------------------------------------------------------------------

lab.until = (what, ask, seconds = 10) => until(what, ask, seconds * 1000);

// ---- sources of media -----------------------------------------------------------------------------------------------

lab.openMedia = async () => {
  lab.media ??= await navigator.mediaDevices.getUserMedia(
    { audio: true, video: { width: 320, height: 180, frameRate: 30 } });
  return lab.media;
};

// The names with which the recorded session configurations are written.
const A = (more) => ({ name: 'audio_main', kind: 'audio', stream: lab.media, ...more });
const V = (more) => ({ name: 'video_main', kind: 'video', stream: lab.media, ...more });

// A stream of one colour that a viewer can tell from others.
lab.painted = (colour) => paintedStream({ width: 320, height: 180, fps: 25, every: 40 }, (pen, step) => {
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 320, 180);
  pen.fillStyle = '#888';
  pen.fillRect((step * 7) % 320, 0, 24, 24);
});

// A picture, and a small thing that moves over it, so that each frame is another one.
lab.showing = (picture, { width, height }) => paintedStream({ width, height, fps: 25, every: 40 }, (pen, step) => {
  pen.drawImage(picture, 0, 0, width, height);
  pen.fillStyle = '#888';
  pen.fillRect((step * 7) % width, height - 8, 8, 8);
});

lab.sound = () => (lab.audio ??= new AudioContext());

lab.tone = (hertz) => {
  const oscillator = lab.sound().createOscillator();
  const out = lab.sound().createMediaStreamDestination();
  oscillator.frequency.value = hertz;
  oscillator.connect(out);
  oscillator.start();
  return out.stream;
};

// A tone that is silent until lab.speak() says how loud it is, in dB below full scale.
lab.voice = (hertz) => {
  const oscillator = lab.sound().createOscillator();
  const out = lab.sound().createMediaStreamDestination();
  lab.gain = lab.sound().createGain();
  lab.gain.gain.value = 0;
  oscillator.frequency.value = hertz;
  oscillator.connect(lab.gain).connect(out);
  oscillator.start();
  return out.stream;
};

lab.speak = (decibel) => { lab.gain.gain.value = decibel === null ? 0 : 10 ** (decibel / 20); };

// ---- the session ----------------------------------------------------------------------------------------------------

const keyOf = (remote) => remote.peerId + '/' + remote.name;

lab.create = async ({ urls, room, peer, token, config, before }) => {
  if (/\b[AV]\(/.test(config + before)) await lab.openMedia();
  const session = Atm0s.createSession(urls, { roomId: room, peerId: peer, token, ...eval(`(${config})`) });
  lab.session = session;
  for (const name of ['connected', 'disconnected', 'reconnecting', 'reconnected', 'room_stats', 'peer_state', 'dc_state']) {
    session.on(name, (detail) => lab.events.push([name, detail]));
  }
  for (const prefix of ['mystream', 'stream']) {
    session.on(prefix + '_added', (remote) => { lab.note(prefix + '_added', remote); lab.remotes.set(keyOf(remote), remote); });
    session.on(prefix + '_updated', (remote) => lab.note(prefix + '_updated', remote));
    session.on(prefix + '_removed', (remote) => { lab.note(prefix + '_removed', remote); lab.remotes.delete(keyOf(remote)); });
  }
  eval(before);
};

lab.note = (name, remote) => lab.events.push([name, { peer: remote.peerId, stream: remote.name, ...remote.state }]);

lab.connect = async () => {
  await lab.session.connect();
  await lab.until('the session is connected', () => lab.sawEvent('connected'));
};

// JavaScript of a test, with session, A, V and lab in reach; for what needs the page's own objects.
lab.run = (code) => eval(`(async (session) => { ${code} })`)(lab.session);

lab.sawEvent = (name) => lab.events.some((event) => event[0] === name);

lab.waitEvent = (name, detail = {}, seconds = 10) =>
  lab.until(`event ${name} ${JSON.stringify(detail)}`, () => lab.events.find((event) =>
    event[0] === name && Object.entries(detail).every(([key, value]) => event[1]?.[key] === value)), seconds);

lab.waitMessage = (event, detail = {}, seconds = 10) =>
  lab.until(`message ${event} ${JSON.stringify(detail)}`, () => lab.messages.find((message) =>
    message.event === event && Object.entries(detail).every(([key, value]) => message.data?.[key] === value)), seconds);

lab.waitRemote = (peer, stream, seconds = 10) =>
  lab.until(`stream ${peer}/${stream} is announced`, () => lab.remotes.get(peer + '/' + stream), seconds);

lab.waitGone = (peer, stream, seconds = 10) =>
  lab.until(`stream ${peer}/${stream} is gone`, () => !lab.remotes.has(peer + '/' + stream), seconds);

// The SDK's own objects do not leave the page: answer with plain values.
for (const name of ['waitRemote', 'waitGone']) {
  const inner = lab[name];
  lab[name + 'Plain'] = (...args) => inner(...args).then(() => true);
}

// ---- viewing --------------------------------------------------------------------------------------------------------

lab.view = async (peer, stream, id) => {
  const remote = await lab.waitRemote(peer, stream);
  const consumer = lab.session.createConsumer(remote);
  lab.keepView(id, remote.kind, consumer.view('lab'), consumer);
  return id;
};

lab.keepView = (id, kind, stream, consumer = null) => {
  const element = document.createElement(kind);
  element.autoplay = true;
  element.srcObject = stream;
  document.body.append(element);
  lab.views.get(id)?.element.remove();
  lab.views.set(id, { consumer, stream, element, kind });
};

lab.unview = (id) => { lab.views.get(id).consumer.unview('lab'); };
lab.viewAgain = (id) => { lab.views.get(id).consumer.view('lab'); };

// A receiver taken by hand, to be switched between streams.
lab.takeReceiver = (kind, id) => {
  const receiver = lab.session.takeReceiver(kind);
  lab.keepView(id, kind, receiver.stream);
  lab.views.get(id).receiver = receiver;
  return receiver.remoteId;
};

lab.switchReceiver = async (id, peer, stream) => lab.views.get(id).receiver.switch(await lab.waitRemote(peer, stream));

// ---- facts about media ----------------------------------------------------------------------------------------------

lab.inbound = async (id) => {
  const { stream } = lab.views.get(id);
  for (const connection of lab.connections) {
    const receiver = connection.getReceivers().find((r) => stream.getTracks().includes(r.track));
    if (!receiver) continue;
    const reports = [...(await receiver.getStats()).values()];
    const report = reports.find((r) => r.type === 'inbound-rtp');
    if (report) return { ...report, codec: reports.find((r) => r.id === report.codecId)?.mimeType };
  }
  return null;
};

const NOTHING = { framesDecoded: 0, packetsReceived: 0, totalAudioEnergy: 0, totalSamplesDuration: 0 };

lab.flows = async (id, { frames = 8, energy = 1e-6, seconds = 10 } = {}) => {
  const before = (await lab.inbound(id)) ?? NOTHING;
  let now = before;
  const enough = async () => {
    now = (await lab.inbound(id)) ?? NOTHING;
    if (now.packetsReceived - before.packetsReceived < 5) return false;
    if (lab.views.get(id).kind === 'video') return now.framesDecoded - (before.framesDecoded ?? 0) >= frames;
    return now.totalAudioEnergy - (before.totalAudioEnergy ?? 0) > energy;
  };
  await lab.until(`media flows on ${id}`, enough, seconds).catch((error) => {
    throw new Error(`${error.message}; had ${JSON.stringify(before)}, now ${JSON.stringify(now)}`);
  });
  const { framesDecoded, packetsReceived, packetsLost, totalAudioEnergy, codec, frameWidth, ssrc } = now;
  return { framesDecoded, packetsReceived, packetsLost, totalAudioEnergy, codec, frameWidth, ssrc };
};

lab.stops = (id) => {
  let last = -1, since = 0;
  return lab.until(`media stops on ${id}`, async () => {
    const packets = (await lab.inbound(id))?.packetsReceived ?? 0;
    if (packets !== last) { last = packets; since = performance.now(); }
    return performance.now() - since > QUIET_MS;
  });
};

// Which of the colours the view shows now: "red", "green", "blue", or "none".
lab.colour = (id) => {
  const { element } = lab.views.get(id);
  const canvas = Object.assign(document.createElement('canvas'), { width: 16, height: 9 });
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  pen.drawImage(element, 0, 0, 16, 9);
  const sum = [0, 0, 0];
  const { data } = pen.getImageData(0, 4, 16, 5);
  data.forEach((value, i) => { if (i % 4 < 3) sum[i % 4] += value; });
  const most = sum.indexOf(Math.max(...sum));
  const rest = sum.reduce((a, b) => a + b) - sum[most];
  return sum[most] > 2 * rest + 1 ? ['red', 'green', 'blue'][most] : 'none';
};

lab.waitColour = (id, colour) => lab.until(`${id} shows ${colour}`, () => lab.colour(id) === colour);

// The loudest frequency of the view, in hertz.
lab.pitch = (id) => {
  const view = lab.views.get(id);
  if (!view.stream.getAudioTracks().length) return 0;
  if (!view.analyser) {
    view.analyser = lab.sound().createAnalyser();
    view.analyser.fftSize = 4096;
    view.analyser.smoothingTimeConstant = 0;
    lab.sound().createMediaStreamSource(view.stream).connect(view.analyser);
  }
  const bins = new Float32Array(view.analyser.frequencyBinCount);
  view.analyser.getFloatFrequencyData(bins);
  const loudest = bins.indexOf(Math.max(...bins));
  return bins[loudest] > -70 ? loudest * lab.sound().sampleRate / view.analyser.fftSize : 0;
};

lab.waitPitch = (id, hertz) => lab.until(`${id} sounds at ${hertz} Hz`, () => Math.abs(lab.pitch(id) - hertz) < 40);

// ---- mix-minus --------------------------------------------------------------------------------------------------------

// Which of these tones each slot of the session's mixer sounds at, in hertz: null where none.
lab.slotTones = (tones) => {
  lab.slots ??= lab.session.getMixMinusAudio().receivers.map((receiver) => {
    const analyser = lab.sound().createAnalyser();
    analyser.fftSize = 4096;
    analyser.smoothingTimeConstant = 0;
    lab.sound().createMediaStreamSource(receiver.stream).connect(analyser);
    return analyser;
  });
  return lab.slots.map((analyser) => {
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    const hertz = loudest * lab.sound().sampleRate / analyser.fftSize;
    return bins[loudest] > -70 ? tones.find((tone) => Math.abs(tone - hertz) < 40) ?? 0 : null;
  });
};

const sameSet = (a, b) => a.length === b.length && [...a].sort().join() === [...b].sort().join();

// Until these tones, and no others, are heard. Gives the slots.
lab.waitHears = (expected, tones, seconds = 10) => lab.until(`${expected} Hz are heard, not ${lab.slotTones(tones)}`, () => {
  const slots = lab.slotTones(tones);
  return sameSet(slots.filter((tone) => tone !== null), expected) && slots;
}, seconds);

// What it was told of a mixer last: the source of each slot, or null.
lab.mixState = (id) => lab.messages.filter((m) => m.event === `mix_minus_${id}_state`).at(-1)?.data;

// ---- the data channel by hand ---------------------------------------------------------------------------------------

lab.channel = () => lab.channels[0];

lab.request = async (request, data, req_id = 900000 + lab.messages.length) => {
  lab.channel().send(JSON.stringify({ type: 'request', req_id, request, data }));
  return lab.until(`answer to ${request}`, () => lab.messages.find((m) => m.type === 'answer' && m.req_id === req_id));
};

lab.evidence = async () => {
  const views = {};
  for (const id of lab.views.keys()) views[id] = await lab.inbound(id);
  const sent = [...((await lab.connections.at(-1)?.getStats())?.values() ?? [])].filter((r) => /^(outbound-rtp|media-source)$/.test(r.type));
  return {
    events: lab.events, remotes: [...lab.remotes.keys()], views, sent, messages: lab.messages.slice(-40),
    connections: lab.connections.map((c) => [c.connectionState, c.iceConnectionState, c.signalingState]),
    answer: lab.connections[0]?.remoteDescription?.sdp,
  };
};
