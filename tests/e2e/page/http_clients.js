// The page of clients that speak WHIP or WHEP and know nothing of this server. Driven by harness/http_client.mjs. It
// wraps RTCPeerConnection before they load, only to ask the connections for their statistics.
'use strict';

const QUIET_MS = 700; // longer than any gap of running media here: 30 frames and 50 audio packets a second

const lab = { connections: [], errors: [], client: null, player: null };
globalThis.lab = lab;

const NativeConnection = globalThis.RTCPeerConnection;
globalThis.RTCPeerConnection = class extends NativeConnection {
  constructor(...args) {
    super(...args);
    lab.connections.push(this);
  }
};
addEventListener('error', (event) => lab.errors.push(event.message));
addEventListener('unhandledrejection', (event) => lab.errors.push(String(event.reason)));

const connection = () => lab.connections.at(-1);

// @eyevinn/whip-web-client
lab.publish = async (endpoint, token, options = {}) => {
  lab.client = new globalThis.whipClient.WHIPClient({ endpoint, opts: { authkey: token, iceServers: [], ...options } });
  await lab.client.setIceServersFromEndpoint();
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480 } });
  await lab.client.ingest(media);
};
lab.stopPublishing = () => lab.client.destroy();

// @eyevinn/webrtc-player
lab.play = async (endpoint, token) => {
  const video = document.createElement('video');
  video.autoplay = true; // a page decodes no sound that it does not play
  document.body.append(video);
  lab.player = new globalThis.webrtcPlayer.WebRTCPlayer({ video, type: 'whep', iceServers: [] });
  await lab.player.load(new URL(endpoint), `Bearer ${token}`);
  lab.player.unmute();
};
lab.stopPlaying = () => lab.player.destroy();

// RTCPeerConnection alone: an offer with all candidates or with none, posted by hand.
lab.offer = async ({ sends = [], receives = [], waits = true }) => {
  const made = new RTCPeerConnection();
  if (sends.length) {
    const media = await navigator.mediaDevices.getUserMedia({ audio: sends.includes('audio'), video: sends.includes('video') });
    media.getTracks().forEach((track) => made.addTransceiver(track, { direction: 'sendonly', streams: [media] }));
  }
  made.ontrack = ({ track }) => { // a page decodes no sound that it does not play
    const element = document.body.appendChild(document.createElement('video'));
    element.autoplay = true;
    element.srcObject = new MediaStream([track]);
  };
  receives.forEach((kind) => made.addTransceiver(kind, { direction: 'recvonly' }));
  await made.setLocalDescription();
  if (waits) await until('all candidates are there', () => made.iceGatheringState === 'complete');
  return made.localDescription.sdp;
};
lab.answer = (sdp) => connection().setRemoteDescription({ type: 'answer', sdp });
// Credentials of a restart, and what the server said to them (RFC 9725 4.3.3).
lab.restart = async () => {
  connection().restartIce();
  await connection().setLocalDescription();
  const read = (name) => connection().localDescription.sdp.match(new RegExp(`a=${name}:(\\S+)`))[1];
  return { ufrag: read('ice-ufrag'), pwd: read('ice-pwd') };
};
lab.restarted = (oldAnswer, { ufrag, pwd }) => lab.answer(oldAnswer
  .replace(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${ufrag}`).replace(/a=ice-pwd:\S+/g, `a=ice-pwd:${pwd}`));

lab.state = () => connection().connectionState;
lab.received = async () => {
  const sum = { frames: 0, energy: 0, width: 0, height: 0, codec: '' };
  const reports = await connection().getStats();
  for (const report of reports.values()) {
    if (report.type !== 'inbound-rtp') continue;
    sum.frames += report.framesDecoded ?? 0;
    sum.energy += report.totalAudioEnergy ?? 0;
    if (report.kind === 'video') {
      sum.width = report.frameWidth ?? 0;
      sum.height = report.frameHeight ?? 0;
      sum.codec = reports.get(report.codecId)?.mimeType ?? '';
    }
  }
  return sum;
};
// Pictures and sound come from now on.
lab.flows = async (seconds = 12) => {
  const before = await lab.received();
  let now = before;
  return until('media flows', async () => {
    now = await lab.received();
    return now.frames >= before.frames + 8 && now.energy > before.energy + 1e-6 && now;
  }, seconds * 1000).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify({ before, now, state: lab.state(), errors: lab.errors })}`);
  });
};
// Nothing comes any more.
lab.stops = async (seconds = 10) => {
  let last = (await lab.received()).frames;
  let since = Date.now();
  await until('media stops', async () => {
    const now = (await lab.received()).frames;
    if (now !== last) since = Date.now();
    last = now;
    return Date.now() - since >= QUIET_MS;
  }, seconds * 1000);
};
