// The peers of a case, in the browser: each flow is a sender and a receiver of libwebrtc's, with a relay's ports between
// them. Driven by run.mjs. Times are seconds since the case began.
'use strict';

const WIDTH = 320, HEIGHT = 240, FPS = 30; // small: the encoders share a machine
const PICTURES = 90;
const GRAIN = 12; // of the noise, out of 255: with much of it no encoder gets along with little, without it none needs much

const reference = { flows: [], began: null };
globalThis.reference = reference;

const elapsed = () => (performance.now() - reference.began) / 1000;

// ---- the camera -----------------------------------------------------------------------------------------------------

// A texture that moves, and noise that is another in each picture: what it costs to encode has hardly an upper bound and
// a low least. I420.
const pictures = (() => {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  return Array.from({ length: PICTURES }, (_, n) => {
    const bytes = new Uint8Array(WIDTH * HEIGHT * 3 / 2).fill(128);
    const angle = (n / PICTURES) * 2 * Math.PI;
    const dx = 20 * Math.sin(angle), dy = 20 * Math.cos(angle);
    for (let y = 0, i = 0; y < HEIGHT; ++y) {
      for (let x = 0; x < WIDTH; ++x, ++i) {
        bytes[i] = 128 + 40 * Math.sin((x + dx) / 9) + 40 * Math.cos((y + dy) / 7) + GRAIN * (random() - 0.5);
      }
    }
    return bytes;
  });
})();

reference.film = (flow, number) => {
  const frame = new VideoFrame(pictures[number % PICTURES], { format: 'I420', codedWidth: WIDTH, codedHeight: HEIGHT,
    timestamp: Math.round(performance.now() * 1000) });
  flow.writer.write(frame).catch(() => frame.close());
};

// ---- the screen: as the simulation's, nothing is expected before a flow begins and while it pauses ---------------------

async function watch(flow, track) {
  const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    value.close();
    ++flow.shown;
    noteGap(flow);
    if (flow.lastShown !== null) flow.lastShown = elapsed();
  }
}

function noteGap(flow) {
  if (flow.lastShown !== null) flow.freeze = Math.max(flow.freeze, elapsed() - flow.lastShown);
}

// ---- the peers --------------------------------------------------------------------------------------------------------

// The other end as this one may reach it: at the relay's port, and nowhere else.
function through(sdp, port) {
  return sdp.split('\r\n').filter((line) => !/^a=(candidate:|end-of-candidates)/.test(line)).join('\r\n') +
    `a=candidate:1 1 udp 2122260223 127.0.0.1 ${port} typ host generation 0\r\n`;
}

const connected = (connection) => new Promise((resolve, reject) => {
  connection.onconnectionstatechange = () => { if (connection.connectionState === 'connected') resolve(); };
  setTimeout(() => reject(new Error(`connection is ${connection.connectionState}`)), 10000);
});

// mostBps: of media, without what goes around it.
reference.connect = async ({ senderPort, receiverPort, start, delay, pause, resume, mostBps }) => {
  const flow = { start, delay, pause: pause ?? Infinity, resume: resume ?? Infinity, frames: 0, shown: 0, freeze: 0,
    lastShown: null, wasActive: false, sender: new RTCPeerConnection(), receiver: new RTCPeerConnection() };
  reference.flows.push(flow);
  const generator = new MediaStreamTrackGenerator({ kind: 'video' });
  generator.contentHint = 'motion';
  flow.writer = generator.writable.getWriter();
  flow.sender.addTransceiver(generator, { direction: 'sendonly', sendEncodings: [{ maxBitrate: mostBps }] });
  flow.receiver.ontrack = ({ track }) => { watch(flow, track); };
  const both = [connected(flow.sender), connected(flow.receiver)];
  const offer = await flow.sender.createOffer();
  await flow.receiver.setRemoteDescription({ type: 'offer', sdp: through(offer.sdp, receiverPort) });
  const answer = await flow.receiver.createAnswer();
  await flow.sender.setLocalDescription(offer);
  await flow.receiver.setLocalDescription(answer);
  await flow.sender.setRemoteDescription({ type: 'answer', sdp: through(answer.sdp, senderPort) });
  await Promise.all(both);
};

reference.begin = () => {
  reference.began = performance.now();
  let number = 0;
  reference.timer = setInterval(() => {
    // As many as are due: a timer that was late does not slow the camera.
    for (; number < elapsed() * FPS; ++number) {
      for (const flow of reference.flows) {
        const at = elapsed();
        const isActive = at >= flow.start && !(at >= flow.pause && at < flow.resume);
        if (isActive !== flow.wasActive) flow.lastShown = isActive ? at + flow.delay : null;
        flow.wasActive = isActive;
        if (isActive) reference.film(flow, flow.frames++);
      }
    }
  }, 5);
};

// ---- what is asked ------------------------------------------------------------------------------------------------------

async function statsOf(connection, isRight) {
  return [...(await connection.getStats()).values()].find(isRight) ?? {};
}

reference.targets = () => Promise.all(reference.flows.map(async ({ sender }) =>
  (await statsOf(sender, ({ type, nominated }) => type === 'candidate-pair' && nominated)).availableOutgoingBitrate ?? 0));

reference.end = () => {
  clearInterval(reference.timer);
  reference.flows.forEach(noteGap);
  return Promise.all(reference.flows.map(async (flow) => {
    const sent = await statsOf(flow.sender, ({ type }) => type === 'outbound-rtp');
    return { freeze: flow.freeze, filmed: flow.frames, encoded: sent.framesEncoded, shown: flow.shown,
      width: sent.frameWidth, cpuLimited: sent.qualityLimitationDurations?.cpu ?? 0, codec: sent.encoderImplementation,
      keyFrames: sent.keyFramesEncoded, bytes: sent.bytesSent, repeated: sent.retransmittedBytesSent };
  }));
};
