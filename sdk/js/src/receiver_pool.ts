// The receivers of a session: numbered by kind in the order of their m-lines, as the server numbers them; taken and
// given back.
import type { StreamKinds } from './choices.js';
import type { SessionHost } from './host.js';
import { StreamReceiver } from './receiver.js';

export class ReceiverPool {
  private readonly all: Record<StreamKinds, StreamReceiver[]> = { audio: [], video: [] };
  private readonly free: StreamReceiver[] = [];

  constructor(private readonly host: SessionHost) {}

  /** A new one, in use from the start. */
  create(kind: StreamKinds): StreamReceiver {
    const receiver = new StreamReceiver(this.host, kind, `${kind}_${this.all[kind].length}`);
    this.all[kind].push(receiver);
    return receiver;
  }

  /** A new one that waits to be taken. */
  createFree(kind: StreamKinds): StreamReceiver {
    const receiver = this.create(kind);
    this.free.push(receiver);
    return receiver;
  }

  /** The one that was given back last, else the lowest that is free. */
  takeFree(kind: StreamKinds): StreamReceiver | undefined {
    const at = this.free.findIndex((one) => one.kind === kind);
    return at < 0 ? undefined : this.free.splice(at, 1)[0];
  }

  /** Given back twice it is there once. */
  giveBack(receiver: StreamReceiver): void {
    if (!this.all[receiver.kind].includes(receiver) || this.free.includes(receiver)) return;
    receiver.offAllListeners();
    this.free.unshift(receiver);
  }

  find(id: string): StreamReceiver | undefined {
    return this.list().find((one) => one.remoteId === id);
  }

  list(): StreamReceiver[] {
    return [...this.all.audio, ...this.all.video];
  }

  counts(): { audio: number; video: number } {
    return { audio: this.all.audio.length, video: this.all.video.length };
  }
}
