// A stream that somebody publishes in the room, and all of them.
import type { StreamKinds } from './choices.js';
import { StreamRemoteScalingType, StreamRemoteStatus } from './choices.js';
import { TypedEventEmitter } from './events.js';
import type { StreamEventData } from './protocol.js';
import { oneOf } from './protocol.js';

export interface StreamRemoteState {
  scaling: StreamRemoteScalingType;
  layers: number[];
  status: StreamRemoteStatus;
  /** false while its publisher has switched it to nothing. */
  active: boolean;
  /** What its publisher calls it. */
  label?: string;
}

/** How good a stream arrives: a mean opinion score from 1 (bad) to 5. */
export interface RemoteStreamQuality {
  peer: string;
  name: string;
  kind: StreamKinds;
  mos: number;
  /** Of a mixer: in which of its slots. */
  slot?: number;
}

export interface IStreamRemoteCallbacks {
  state: (state: StreamRemoteState) => void;
  quality: (quality: RemoteStreamQuality | null) => void;
  /** Its publisher has stopped it, or has gone. */
  closed: () => void;
}

/** A stream of the room. It stays the same object while its publisher goes on, also over a reconnection of ours. */
export class StreamRemote extends TypedEventEmitter<IStreamRemoteCallbacks> {
  _state: StreamRemoteState = { scaling: 'single', layers: [], status: 'new', active: false };

  constructor(
    readonly kind: StreamKinds,
    readonly peerId: string,
    readonly peerHash: string,
    readonly name: string,
  ) {
    super();
  }

  get state(): StreamRemoteState {
    return this._state;
  }

  /** @internal */
  updateState(state: StreamRemoteState): void {
    this._state = state;
    this.emit('state', state);
  }

  /** @internal */
  updateQuality(quality: RemoteStreamQuality | null): void {
    this.emit('quality', quality);
  }

  /** @internal */
  close(): void {
    this._state = { ...this._state, status: 'disconnected', active: false };
    this.emit('closed');
  }
}

function readState(state: Record<string, unknown> | null): StreamRemoteState {
  const { scaling, layers, status, active, label } = state ?? {};
  return {
    scaling: oneOf(StreamRemoteScalingType, scaling) ?? 'single',
    layers: Array.isArray(layers) ? layers.map(Number) : [],
    status: oneOf(StreamRemoteStatus, status) ?? 'connected',
    active: active !== false,
    ...(typeof label === 'string' ? { label } : {}),
  };
}

export type RemoteChange = 'added' | 'updated' | 'removed';

/** All streams of the room, by what the server tells of them. */
export class RemoteStreams {
  private readonly all = new Map<string, StreamRemote>();
  private readonly stale = new Set<StreamRemote>();

  constructor(private readonly tell: (change: RemoteChange, remote: StreamRemote) => void) {}

  private static key(peer: string, stream: string): string {
    return JSON.stringify([peer, stream]);
  }

  find(peer: string, stream: string): StreamRemote | undefined {
    return this.all.get(RemoteStreams.key(peer, stream));
  }

  findByHash(peerHash: string, stream: string): StreamRemote | undefined {
    return this.list().find((remote) => remote.peerHash === peerHash && remote.name === stream);
  }

  list(): StreamRemote[] {
    return [...this.all.values()];
  }

  /** `stream_added` and `stream_updated`: what is known already is updated, what is not is added. */
  put(data: StreamEventData): void {
    const state = readState(data.state);
    const known = this.find(data.peer, data.stream);
    if (known && known.kind === data.kind && known.peerHash === String(data.peer_hash)) {
      this.stale.delete(known);
      const changed = JSON.stringify(known.state) !== JSON.stringify(state);
      known.updateState(state);
      if (changed) this.tell('updated', known);
      return;
    }
    if (known) this.take(known);
    const remote = new StreamRemote(data.kind, data.peer, String(data.peer_hash), data.stream);
    remote._state = state;
    this.all.set(RemoteStreams.key(data.peer, data.stream), remote);
    this.tell('added', remote);
  }

  remove(peer: string, stream: string): void {
    const known = this.find(peer, stream);
    if (known) this.take(known);
  }

  /** A new connection will be told all anew: whatever it is not told by the time of `sweep` has gone meanwhile. */
  markStale(): void {
    for (const remote of this.all.values()) this.stale.add(remote);
  }

  sweep(): void {
    for (const remote of [...this.stale]) this.take(remote);
  }

  /** At the session's end: nobody is told. */
  clear(): void {
    for (const remote of this.all.values()) remote.offAllListeners();
    this.all.clear();
    this.stale.clear();
  }

  private take(remote: StreamRemote): void {
    this.all.delete(RemoteStreams.key(remote.peerId, remote.name));
    this.stale.delete(remote);
    remote.close();
    this.tell('removed', remote);
    remote.offAllListeners();
  }
}
