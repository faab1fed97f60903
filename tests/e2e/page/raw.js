// A page that speaks the session protocol by itself, without an SDK: simulcast with rids, which the first SDK does not
// get out of a browser, and the limits of streams, which it does not know. Driven by harness/raw_peer.mjs. Times are
// milliseconds since 1970, so that those of several pages on one machine can be compared; rates are bit/s.
'use strict';

const SAMPLE_MS = 200;
const NOISE_SIZE = 1600;

const raw = {
  connection: null,
  channel: null,
  requests: 0,
  answers: new Map(), // req_id -> {success, data}
  events: [], // {at, event, data}
  samples: [], // of what is sent, every SAMPLE_MS while somebody asked for it: {at, layers: {rid: {…}}}
  frames: {}, // receiver -> [[at, width], …] of what was decoded
  keys: {}, // receiver -> [{at, width, bytes}, …] of what came, where it is watched
  senders: {}, // name -> {sender, encodings}
};
globalThis.raw = raw;

const wall = () => performance.timeOrigin + performance.now();

// ---- a source that costs an encoder what it may spend: noise under a moving window ---------------------------------

const noise = (() => {
  let canvas = null;
  return () => {
    if (canvas) return canvas;
    canvas = Object.assign(document.createElement('canvas'), { width: NOISE_SIZE, height: NOISE_SIZE });
    const pen = canvas.getContext('2d');
    let state = 1;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
    for (let i = 0; i < 9000; ++i) {
      pen.fillStyle = `rgb(${random() * 255},${random() * 255},${random() * 255})`;
      pen.fillRect(random() * NOISE_SIZE, random() * NOISE_SIZE, 4 + random() * 60, 4 + random() * 60);
    }
    return canvas;
  };
})();

raw.paint = ({ width, height, fps }) => {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const pen = canvas.getContext('2d');
  const track = canvas.captureStream(0).getVideoTracks()[0];
  let step = 0;
  setInterval(() => {
    const angle = ++step / 40;
    pen.drawImage(noise(), (Math.sin(angle) - 1) * (NOISE_SIZE - width) / 2, (Math.cos(angle * 0.7) - 1) * (NOISE_SIZE - height) / 2);
    track.requestFrame();
  }, 1000 / fps);
  return track;
};

// ---- the session ----------------------------------------------------------------------------------------------------

// senders: [{name, width, height, fps, encodings?}]; receivers: how many of video; watchKeys: see raw.keys;
// through: {from, to}: where the server is for this host.
raw.join = async ({ url, room, peer, token, through, senders = [], receivers = 0, watchKeys = false, appliesLimits = false,
  mode }) => {
  const connection = raw.connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  raw.channel = connection.createDataChannel('data', { ordered: false, maxPacketLifeTime: 10000 });
  raw.channel.binaryType = 'arraybuffer';
  raw.channel.onmessage = ({ data }) => raw.take(data, appliesLimits);
  const told = senders.map((sender) => raw.addSender(sender));
  const worker = watchKeys && new Worker('/raw_worker.js');
  if (worker) worker.onmessage = ({ data }) => (raw.keys[data.id] ??= []).push(data);
  for (let i = 0; i < receivers; ++i) {
    const { receiver } = connection.addTransceiver('video', { direction: 'recvonly' });
    if (worker) receiver.transform = new RTCRtpScriptTransform(worker, { id: `video_${i}` });
    raw.watch(`video_${i}`, receiver.track);
  }
  const offer = await connection.createOffer();
  const response = await fetch(url + '/webrtc/connect', { method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ room, peer, token, sdp: offer.sdp, senders: told, receivers: { audio: 0, video: receivers },
      remote_bitrate_control_mode: mode, applies_stream_limits: appliesLimits || undefined }) });
  const reply = await response.json();
  if (!reply.status) throw new Error('connect: ' + reply.error);
  await connection.setLocalDescription(offer);
  const sdp = through ? reply.data.sdp.replaceAll(through.from, through.to) : reply.data.sdp;
  await connection.setRemoteDescription({ type: 'answer', sdp });
  await new Promise((resolve, reject) => {
    raw.channel.onopen = resolve;
    setTimeout(() => reject(new Error('the data channel did not open')), 10000);
  });
};

raw.addSender = ({ name, width, height, fps, encodings = [{}] }) => {
  const track = raw.paint({ width, height, fps });
  const { sender } = raw.connection.addTransceiver(track, { direction: 'sendonly', sendEncodings: encodings });
  raw.senders[name] = { sender, encodings };
  return { uuid: track.id, label: name, kind: 'video', name };
};

raw.take = async (data, appliesLimits) => {
  let text = data;
  if (typeof data !== 'string') {
    text = await new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream('deflate'))).text();
  }
  const message = JSON.parse(text);
  if (message.type === 'answer') raw.answers.set(message.req_id, message);
  if (message.type !== 'event') return;
  raw.events.push({ at: wall(), event: message.event, data: message.data });
  const [, name] = message.event.match(/^remote_stream_(.*)_limit$/) ?? [];
  if (name && appliesLimits) await raw.applyLimit(name, message.data);
};

// Layers that nobody wants are off, but for the lowest, which is what an unwatched stream idles at; the rest share
// what may be sent from the lowest up. max_bitrate 0: no limit.
raw.applyLimit = (name, limit) => (raw.applied = (raw.applied ?? Promise.resolve()).then(async () => {
  const { sender, encodings } = raw.senders[name];
  const parameters = sender.getParameters();
  let left = limit.max_bitrate || Infinity;
  parameters.encodings.forEach((encoding, i) => {
    const wanted = limit.layers.includes(i) || (limit.layers.length === 0 && i === 0);
    encoding.active = wanted && left > 0;
    const most = Math.min(left, encodings[i].maxBitrate ?? Infinity);
    if (!encoding.active) return;
    if (most === Infinity) delete encoding.maxBitrate;
    else encoding.maxBitrate = most;
    left -= most;
  });
  await sender.setParameters(parameters);
}).catch((error) => raw.events.push({ at: wall(), event: 'failed', data: error.message })));

raw.request = async (request, data, seconds = 5) => {
  const req_id = ++raw.requests;
  raw.channel.send(JSON.stringify({ type: 'request', req_id, request, data }));
  const { success, data: answer } = await until(`answer to ${request}`, () => raw.answers.get(req_id), seconds * 1000);
  if (!success) throw new Error(`${request}: ${JSON.stringify(answer)}`);
  return answer;
};

// Answers when the request went out, not when it was answered.
raw.view = async (id, peer, stream) => {
  const at = wall();
  await raw.request('receiver.switch', { id, priority: 50, remote: { peer, stream } });
  return at;
};

raw.buffer = (ms) => raw.connection.getReceivers().forEach((receiver) => { receiver.jitterBufferTarget = ms; });

// ---- what came and went ---------------------------------------------------------------------------------------------

raw.watch = async (id, track) => {
  const frames = (raw.frames[id] = []);
  const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
  for (;;) {
    const { value: frame, done } = await reader.read();
    if (done) return;
    frames.push([wall(), frame.codedWidth]);
    frame.close();
  }
};

raw.sent = async () => {
  const layers = {};
  let estimate = 0;
  for (const report of (await raw.connection.getStats()).values()) {
    if (report.type === 'candidate-pair' && report.nominated) estimate = report.availableOutgoingBitrate ?? 0;
    if (report.type !== 'outbound-rtp' || report.kind !== 'video') continue;
    layers[report.mid + (report.rid ?? '')] = { bytes: report.bytesSent + report.headerBytesSent, frames: report.framesEncoded,
      width: report.frameWidth ?? 0, keys: report.keyFramesEncoded, target: report.targetBitrate ?? 0, active: report.active,
      plis: report.pliCount, codec: report.scalabilityMode, rid: report.rid ?? '', packets: report.packetsSent,
      limited: report.qualityLimitationReason };
  }
  return { at: wall(), estimate, layers };
};

raw.received = async () => {
  const all = [];
  for (const report of (await raw.connection.getStats()).values()) {
    if (report.type !== 'inbound-rtp' || report.kind !== 'video') continue;
    const { framesDecoded, framesDropped, framesReceived, keyFramesDecoded, packetsLost, packetsReceived, freezeCount,
      totalFreezesDuration, nackCount, pliCount, bytesReceived, frameWidth, retransmittedPacketsReceived } = report;
    all.push({ framesDecoded, framesDropped, framesReceived, keyFramesDecoded, packetsLost, packetsReceived, freezeCount,
      totalFreezesDuration, nackCount, pliCount, bytesReceived, frameWidth, retransmittedPacketsReceived });
  }
  return { at: wall(), receivers: all };
};

raw.sampleSent = async () => {
  for (;; await pause(SAMPLE_MS)) raw.samples.push(await raw.sent());
};
