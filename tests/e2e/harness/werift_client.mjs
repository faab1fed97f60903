// werift, a WebRTC stack in TypeScript that shares no code with a browser or with GStreamer, as a WHIP publisher or a
// WHEP player. It has no media of its own: ffmpeg makes what it publishes, and what it plays is counted by the packet.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { MediaStream, MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, Vp8RtpPayload } from 'werift';
import { postOffer, whepToken, whipToken } from './http_client.mjs';
import { until } from './test.mjs';

const KINDS = ['audio', 'video'];
// Nobody can ask ffmpeg for a key frame, so it makes one each second.
const VIDEO = ['-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=25', '-pix_fmt', 'yuv420p', '-c:v', 'libvpx',
  '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '600k', '-g', '25'];
const AUDIO = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-ac', '2', '-c:a', 'libopus',
  '-b:a', '48k'];
const CODECS = {
  audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48000, channels: 2 })],
  video: [new RTCRtpCodecParameters({ mimeType: 'video/VP8', clockRate: 90000,
    rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }] })],
};

export class WeriftClient {
  static async publish(env, name) {
    const client = new WeriftClient(env, name);
    const tracks = KINDS.map((kind) => new MediaStreamTrack({ kind }));
    const streams = [new MediaStream(tracks)];
    for (const track of tracks) client.connection.addTransceiver(track, { direction: 'sendonly', streams });
    await client.exchange('/whip/endpoint', whipToken(env.room, name));
    await client.encode('audio', AUDIO, tracks[0]);
    await client.encode('video', VIDEO, tracks[1]);
    return client;
  }

  static async play(env, name) {
    const client = new WeriftClient(env, name);
    for (const kind of KINDS) client.connection.addTransceiver(kind, { direction: 'recvonly' });
    client.connection.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe((packet) => client.count(track.kind, packet));
    });
    await client.exchange('/whep/endpoint', whepToken(env.room, name));
    return client;
  }

  constructor(env, name) {
    this.env = env;
    this.name = name;
    this.got = Object.fromEntries(KINDS.map((kind) => [kind, { packets: 0, bytes: 0, frames: 0, keyFrames: 0 }]));
    this.said = [];
    this.encoders = [];
    this.sockets = [];
    this.connection = new RTCPeerConnection({ codecs: CODECS });
    this.connection.connectionStateChange.subscribe((state) => this.said.push(state));
    env.peers.push(this);
    env.contexts.push(this);
  }

  // Its offer has all its candidates; it does not trickle.
  async exchange(path, token) {
    await this.connection.setLocalDescription(await this.connection.createOffer());
    await until('werift has its candidates', () => this.connection.iceGatheringState === 'complete');
    const answer = await postOffer(this.env.server, path, token, this.connection.localDescription.sdp);
    this.answer = answer.text;
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    this.session = new URL(answer.headers.get('location'), this.env.server.url);
    await this.connection.setRemoteDescription({ type: 'answer', sdp: this.answer });
    await until('werift is connected', () => this.connection.connectionState === 'connected');
  }

  // ffmpeg sends RTP to a port here, and the track sends it on as its own.
  async encode(kind, source, track) {
    const socket = createSocket('udp4');
    this.sockets.push(socket);
    socket.on('message', (packet) => track.writeRtp(packet));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const to = `rtp://127.0.0.1:${socket.address().port}?pkt_size=1200`;
    const encoder = spawn('ffmpeg', ['-nostdin', '-loglevel', 'error', '-re', ...source, '-f', 'rtp', to]);
    encoder.stderr.on('data', (text) => this.said.push(`ffmpeg, ${kind}: ${text}`));
    this.encoders.push(encoder);
  }

  count(kind, { header, payload }) {
    const got = this.got[kind];
    ++got.packets;
    got.bytes += payload.length;
    got.frames += header.marker;
    if (kind === 'video') got.keyFrames += Vp8RtpPayload.deSerialize(payload).isKeyframe;
  }

  // More of both from now on.
  async flows() {
    const { audio, video } = structuredClone(this.got);
    await until(`${this.name} gets sound`, () => this.got.audio.packets >= audio.packets + 50);
    await until(`${this.name} gets pictures`, () => this.got.video.frames >= video.frames + 20);
    return structuredClone(this.got);
  }

  async askForKeyFrame() {
    const [receiver] = this.connection.getReceivers().filter(({ kind }) => kind === 'video');
    const before = this.got.video.keyFrames;
    await receiver.sendRtcpPLI(receiver.tracks[0].ssrc);
    await until('a key frame comes', () => this.got.video.keyFrames > before);
  }

  // The status of the answer to DELETE.
  async stop() {
    const { status } = await fetch(this.session, { method: 'DELETE' });
    await this.close();
    return status;
  }

  async close() {
    for (const encoder of this.encoders.splice(0)) encoder.kill('SIGKILL');
    for (const socket of this.sockets.splice(0)) socket.close();
    await this.connection.close();
  }

  evidence() {
    return [JSON.stringify(this.got), ...this.said, this.connection.localDescription?.sdp, this.answer].join('\n');
  }
}
