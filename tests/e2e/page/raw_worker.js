// Sees every encoded frame that a receiver has put together, before it is decoded, and tells the page of key frames.
'use strict';

globalThis.onrtctransform = async ({ transformer }) => {
  const { id } = transformer.options;
  const reader = transformer.readable.getReader(), writer = transformer.writable.getWriter();
  for (;;) {
    const { value: frame, done } = await reader.read();
    if (done) return;
    if (frame.type === 'key') {
      const { width } = frame.getMetadata();
      postMessage({ id, at: performance.timeOrigin + performance.now(), width, bytes: frame.data.byteLength });
    }
    writer.write(frame);
  }
};
