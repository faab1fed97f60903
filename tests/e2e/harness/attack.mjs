// What strangers throw at a server: malformed datagrams from many sockets, and HTTP that is none. From one seed.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

const SOCKETS = 20;
const BURST = 200; // datagrams, then a pause: the point is what they do, not that they fill the socket's buffer
const PAUSE_MS = 20;

export function makeRandom(seed) {
  let state = seed >>> 0;
  const next = () => { // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { below: (n) => next() % n, bytes: (n) => Buffer.from(Array.from({ length: n }, () => next() & 0xff)) };
}

// A binding request as a browser of that session would send it, but for the integrity, which needs the password.
function stun(random, ufrag) {
  const name = Buffer.from(`${ufrag}:stranger`);
  const padded = Buffer.concat([name, Buffer.alloc((4 - (name.length % 4)) % 4)]);
  const attribute = (type, value, size = value.length) =>
    Buffer.concat([Buffer.from([type >> 8, type & 255, size >> 8, size & 255]), value]);
  const body = Buffer.concat([attribute(0x0006, padded, name.length), attribute(0x0024, random.bytes(4)),
    attribute(0x802a, random.bytes(8)), attribute(0x0008, random.bytes(20)), attribute(0x8028, random.bytes(4))]);
  const head = Buffer.from([0, 1, body.length >> 8, body.length & 255, 0x21, 0x12, 0xa4, 0x42]);
  return Buffer.concat([head, random.bytes(12), body]);
}

// A ClientHello's record and handshake headers, around noise.
function dtls(random) {
  const body = random.bytes(40 + random.below(300));
  const handshake = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 255, 0, 0, 0, 0, 0, 0,
    body.length >> 8, body.length & 255, 0xfe, 0xfd]), body]);
  const type = [20, 21, 22, 22, 22, 23][random.below(6)];
  return Buffer.concat([Buffer.from([type, 0xfe, 0xfd, 0, random.below(2), 0, 0, 0, 0, 0, random.below(8),
    handshake.length >> 8, handshake.length & 255]), handshake]);
}

function rtp(random, ssrcs) {
  const packet = random.bytes(12 + random.below(1200));
  packet[0] = 0x80 | random.below(64);
  packet.writeUInt32BE(ssrcs[random.below(ssrcs.length)] >>> 0, 8);
  return packet;
}

function rtcp(random, ssrcs) {
  const packet = random.bytes(8 + 4 * random.below(30));
  packet[0] = 0x80 | random.below(64);
  packet[1] = 192 + random.below(32);
  packet.writeUInt16BE(random.below(4) ? packet.length / 4 - 1 : random.below(65536), 2);
  packet.writeUInt32BE(ssrcs[random.below(ssrcs.length)] >>> 0, 4);
  return packet;
}

function mutate(random, packet) {
  for (let n = random.below(4); n > 0; --n) packet[random.below(packet.length)] = random.below(256);
  return random.below(5) === 0 ? packet.subarray(0, random.below(packet.length + 1)) : packet;
}

export async function throwDatagrams({ address, ports, count, ufrags, ssrcs, seed = 1 }) {
  const random = makeRandom(seed);
  const makers = [() => random.bytes(random.below(1500)), () => stun(random, ufrags[random.below(ufrags.length)]),
    () => dtls(random), () => rtp(random, ssrcs), () => rtcp(random, ssrcs)];
  const sockets = Array.from({ length: SOCKETS }, () => createSocket('udp4').on('error', () => {}));
  let sent = 0;
  for (let done = 0; done < count; done += BURST) {
    const burst = Array.from({ length: BURST }, () => new Promise((resolve) => {
      const packet = mutate(random, makers[random.below(makers.length)]());
      sockets[random.below(SOCKETS)].send(packet, ports[random.below(ports.length)], address, (error) => {
        sent += error ? 0 : 1;
        resolve();
      });
    }));
    await Promise.all(burst);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  sockets.forEach((socket) => socket.close());
  return sent;
}

// Connections to the media ports over TCP, all open at once: silent ones, ones that say a byte a second, noise, HTTP, and
// with the sessions' own ufrags checks that prove nothing, followed by noise; each is opened anew when it was closed.
export async function throwConnections({ address, ports, count, ufrags, seconds, seed = 3 }) {
  const random = makeRandom(seed);
  const framed = (bytes) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  const makers = [() => Buffer.alloc(0), () => Buffer.from([random.below(8)]), () => random.bytes(1 + random.below(3000)),
    () => Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'), () => Buffer.alloc(2000),
    () => Buffer.concat([framed(stun(random, ufrags[random.below(ufrags.length)])),
      ...Array.from({ length: random.below(20) }, () => framed(random.bytes(1 + random.below(1400))))])];
  const end = Date.now() + seconds * 1000;
  let opened = 0;
  const one = async (i) => {
    while (Date.now() < end) {
      const socket = connect(ports[i % ports.length], address).on('error', () => {});
      ++opened;
      socket.write(makers[i % makers.length]());
      socket.resume();
      const drip = setInterval(() => { if (i % 6 < 3) socket.write(Buffer.from([random.below(3)])); }, 1000);
      await new Promise((resolve) => {
        const late = setTimeout(resolve, end - Date.now());
        socket.on('close', () => { clearTimeout(late); resolve(); });
      });
      clearInterval(drip);
      socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  await Promise.all(Array.from({ length: count }, (_, i) => one(i)));
  return opened;
}

// Requests that are none, each on a connection of its own, that is left hanging or cut.
export async function throwHttp({ url, count, secrets, seed = 2 }) {
  const random = makeRandom(seed);
  const { hostname, port } = new URL(url);
  const post = (path, body, length = body.length) =>
    `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`;
  const token = () => secrets[random.below(secrets.length)];
  const makers = [
    () => random.bytes(1 + random.below(4000)),
    () => 'GET / HTTP/1.1\r\n' + 'x: y\r\n'.repeat(random.below(3000)),
    () => `GET /${'a'.repeat(random.below(20000))} HTTP/9.9\r\n\r\n`,
    () => post('/webrtc/connect', '['.repeat(random.below(50000))),
    () => post('/webrtc/connect', JSON.stringify({ room: 'r', peer: 'p', token: token(), sdp: random.bytes(300).toString('latin1') })),
    () => post('/webrtc/connect', JSON.stringify({ room: 'r', peer: 'p', token: token() + 'x', sdp: 'v=0\r\nm=audio 9 RTP 0\r\n' })),
    () => post('/webrtc/ice_restart', '{"conn_id":"' + 'f'.repeat(random.below(200)) + '","sdp":""}'),
    () => post('/webrtc/connect', '{', 4_000_000_000),
    () => post(`/app/webrtc_session?app_secret=${token()}`, '{"room":'),
    () => `GET /?token=${token()} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token()}\r\n\r\n`,
  ];
  for (let i = 0; i < count; ++i) {
    await new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      const end = () => { socket.destroy(); resolve(); };
      socket.on('error', end).on('close', end).on('data', end).setTimeout(50, end);
      socket.write(makers[i % makers.length]());
    });
  }
}
