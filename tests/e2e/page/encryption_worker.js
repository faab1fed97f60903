// Encrypts and decrypts whole frames between encoder and packetizer (W3C WebRTC Encoded Transform). A toy cipher: what
// matters is that nothing on the way can read what it covers. Each frame carries its nonce at its end.
'use strict';

const NONCE_BYTES = 4;

function cover(bytes, from, to, key, nonce) {
  let state = (key ^ Math.imul(nonce + 1, 0x9e3779b1)) | 1;
  for (let i = from; i < to; ++i) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] ^= state & 0xff;
  }
}

// The bytes at the front that stay as they are: of VP8 those that browsers themselves read in the packets.
function clearBytes(frame, isVp8) {
  if (!isVp8) return 0;
  return (new Uint8Array(frame.data)[0] & 1) === 0 ? 10 : 3; // RFC 6386 9.1: key frame or not
}

onrtctransform = ({ transformer }) => {
  const { side, key, isVp8 } = transformer.options;
  let count = 0;
  const transform = (frame, controller) => {
    const size = frame.data.byteLength;
    if (side === 'encrypt') {
      const bytes = new Uint8Array(size + NONCE_BYTES);
      bytes.set(new Uint8Array(frame.data));
      cover(bytes, Math.min(clearBytes(frame, isVp8), size), size, key, ++count);
      new DataView(bytes.buffer).setUint32(size, count);
      frame.data = bytes.buffer;
    } else if (size >= NONCE_BYTES) {
      const bytes = new Uint8Array(frame.data).slice(0, size - NONCE_BYTES);
      const nonce = new DataView(frame.data).getUint32(size - NONCE_BYTES);
      cover(bytes, Math.min(clearBytes(frame, isVp8), bytes.length), bytes.length, key, nonce);
      frame.data = bytes.buffer;
    }
    controller.enqueue(frame);
  };
  transformer.readable.pipeThrough(new TransformStream({ transform })).pipeTo(transformer.writable);
};
