// Messages of the data channel: JSON text, from PACK_FROM characters on as a zlib stream (RFC 1950) of it.

export const PACK_FROM = 1000;

async function through(bytes: BufferSource, stream: GenericTransformStream): Promise<ArrayBuffer> {
  const piped = new Blob([bytes]).stream().pipeThrough(stream as ReadableWritablePair<Uint8Array, Uint8Array>);
  return new Response(piped).arrayBuffer();
}

/** What to send. Where the browser cannot compress it stays text, which servers read as well. */
export function pack(text: string): string | Promise<ArrayBuffer> {
  if (text.length < PACK_FROM || typeof CompressionStream === 'undefined') return text;
  return through(new TextEncoder().encode(text), new CompressionStream('deflate'));
}

export function unpack(data: string | ArrayBuffer): string | Promise<string> {
  if (typeof data === 'string') return data;
  return through(data, new DecompressionStream('deflate')).then((bytes) => new TextDecoder().decode(bytes));
}

/** Runs steps of which some take their time strictly in order, and those that take none at once. */
export class InOrder {
  private last: Promise<void> | null = null;

  run<T>(value: T | Promise<T>, step: (value: T) => void, failed: (error: unknown) => void): void {
    if (!this.last && !(value instanceof Promise)) return step(value);
    const mine: Promise<void> = Promise.all([value, this.last])
      .then(([ready]) => step(ready))
      .catch(failed)
      .finally(() => {
        if (this.last === mine) this.last = null;
      });
    this.last = mine;
  }
}
