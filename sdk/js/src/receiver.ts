// A receiver: an m-line on which the server sends, switched from stream to stream. It lives through reconnections:
// what it was switched to and its limit are told to the server anew, and its stream gets the new track.
import type { StreamKinds } from './choices.js';
import { StreamReceiverState } from './choices.js';
import { orderCodecs } from './codecs.js';
import { asError } from './errors.js';
import { TypedEventEmitter } from './events.js';
import type { SessionHost } from './host.js';
import { takenLimit } from './ignored.js';
import { applyLatency } from './latency.js';
import { getLogger } from './log.js';
import type { RpcResponse, StreamName, WireLimit } from './protocol.js';
import { isObject, oneOf } from './protocol.js';
import type { RemoteStreamQuality, StreamRemote } from './remote.js';
import type { RPC } from './rpc.js';

/** Which layers a viewer wants at least and at most, and how much it is worth against others. */
export interface StreamLimit {
  /** Default 50. */
  priority: number;
  /** Resolution, 0 to 2; default 0. */
  minSpatial?: number;
  maxSpatial: number;
  /** Frame rate, 0 to 2; default 0. */
  minTemporal?: number;
  maxTemporal: number;
}

export interface IStreamReceiverCallbacks {
  state: (state: StreamReceiverState) => void;
  /** dBov, -127 (silent) to 0. */
  audio_level: (level: number) => void;
  disconnected: (receiver: IStreamReceiver) => void;
  /** The track that its stream has from now on; again after a reconnection. */
  track_added: (track: MediaStreamTrack) => void;
  quality: (quality: RemoteStreamQuality) => void;
}

export interface IStreamReceiver extends TypedEventEmitter<IStreamReceiverCallbacks> {
  readonly state: StreamReceiverState;
  readonly stream: MediaStream;
  readonly kind: StreamKinds;
  readonly remoteId: string;
  switch(remote: StreamRemote, priority?: number): Promise<boolean>;
  limit(limit: StreamLimit): Promise<boolean>;
  disconnect(): Promise<boolean>;
}

export const DEFAULT_PRIORITY = 50;
export const DEFAULT_LIMIT: Readonly<Required<StreamLimit>> = {
  priority: DEFAULT_PRIORITY,
  minSpatial: 0,
  maxSpatial: 2,
  minTemporal: 0,
  maxTemporal: 2,
};

export class StreamReceiver extends TypedEventEmitter<IStreamReceiverCallbacks> implements IStreamReceiver {
  /** Always the same, whatever it shows. */
  readonly stream: MediaStream;
  private readonly logger = getLogger('receiver');
  private _state: StreamReceiverState = 'no_source';
  private _reason: string | undefined;
  private line: RTCRtpTransceiver | null = null;
  private target: { remote: StreamName; priority: number } | null = null;
  private wanted: StreamLimit | null = null;
  private resynced: Promise<boolean> = Promise.resolve(true);

  /** @internal */
  constructor(
    private readonly host: SessionHost,
    readonly kind: StreamKinds,
    /** The server's name for it: `video_0`. */
    readonly remoteId: string,
  ) {
    super();
    this.stream = host.platform.createStream();
  }

  get state(): StreamReceiverState {
    return this._state;
  }
  /** Why it stays `connecting`: an error code, such as UNSUPPORTED_CODEC. */
  get reason(): string | undefined {
    return this._reason;
  }
  /** What it is switched to. */
  get source(): StreamName | undefined {
    return this.target?.remote;
  }
  /** The browser's own object. Another one after a reconnection. */
  get rtcReceiver(): RTCRtpReceiver | undefined {
    return this.line?.receiver;
  }

  /** Its m-line in the SDP, once it was negotiated. */
  get mid(): string | null {
    return this.line?.mid ?? null;
  }

  /** Shows that stream from now on. Resolves to whether the server took it; it need not be there yet. */
  switch(remote: StreamRemote, priority = DEFAULT_PRIORITY): Promise<boolean> {
    return this.switchTo({ peer: remote.peerId, stream: remote.name }, priority);
  }

  /** The same by name. */
  switchTo(remote: StreamName, priority = DEFAULT_PRIORITY): Promise<boolean> {
    this.target = { remote, priority };
    this.setState('connecting');
    return this.tell((rpc) => rpc.request('receiver.switch', { id: this.remoteId, priority, remote }));
  }

  /** Which layers of a video it gets. It stays over a switch. */
  limit(limit: StreamLimit): Promise<boolean> {
    const taken = (this.wanted = takenLimit(limit));
    return this.tell((rpc) => rpc.request('receiver.limit', { id: this.remoteId, limit: wireLimit(taken) }));
  }

  /** Shows nothing from now on. It may be switched again. */
  disconnect(): Promise<boolean> {
    this.target = null;
    this.wanted = null;
    this.setState('no_source');
    this.emit('disconnected', this);
    return this.tell((rpc) => rpc.request('receiver.disconnect', { id: this.remoteId }));
  }

  /** A new connection: its m-line, before the offer. @internal */
  attach(connection: RTCPeerConnection): void {
    this.line = connection.addTransceiver(this.kind, { direction: 'recvonly' });
    const preferences = orderCodecs(this.kind, this.host.platform.codecs(this.kind), { allowed: this.host.codecs });
    if (preferences) this.line.setCodecPreferences?.(preferences);
    applyLatency(this.line.receiver, this.host.latencyMode);
    this._state = this.target ? 'connecting' : 'no_source';
  }

  /** The track that the server announced under this receiver's id. @internal */
  bind(track: MediaStreamTrack, receiver: RTCRtpReceiver): void {
    for (const old of this.stream.getTracks()) if (old !== track) this.stream.removeTrack(old);
    this.stream.addTrack(track);
    applyLatency(receiver, this.host.latencyMode);
    this.emit('track_added', track);
  }

  /** The data channel has opened: what this receiver is to show. @internal */
  resync(rpc: RPC): void {
    const requests: Promise<RpcResponse>[] = [];
    const { target, wanted } = this;
    if (target) requests.push(rpc.request('receiver.switch', { id: this.remoteId, ...target }));
    if (wanted) requests.push(rpc.request('receiver.limit', { id: this.remoteId, limit: wireLimit(wanted) }));
    this.resynced = Promise.all(requests).then(
      (answers) => answers.every((one) => one.status),
      () => false,
    );
  }

  /** An event of the server for this receiver; `quality` as read. @internal */
  onEvent(what: string, data: unknown, quality: RemoteStreamQuality | undefined): void {
    if (!isObject(data)) return;
    if (what === 'state') {
      const state = oneOf(StreamReceiverState, data['state']);
      if (state) this.setState(state, typeof data['reason'] === 'string' ? data['reason'] : undefined);
    } else if (what === 'audio_level') {
      this.emit('audio_level', Number(data['level']));
    } else if (what === 'quality' && quality) {
      this.emit('quality', quality);
    }
  }

  /** At the session's end. @internal */
  end(): void {
    for (const track of this.stream.getTracks()) {
      track.stop();
      this.stream.removeTrack(track);
    }
    this.target = null;
    this.line = null;
    this.setState('no_source');
    this.offAllListeners();
  }

  // What cannot be told now is told when the channel opens (again), by resync.
  private async tell(send: (rpc: RPC) => Promise<RpcResponse>): Promise<boolean> {
    try {
      const { rpc } = this.host;
      if (rpc) {
        const answer = await send(rpc);
        if (!answer.status) this.logger.warn(`${this.remoteId}: refused:`, answer.error);
        return answer.status;
      }
    } catch (error) {
      if (asError(error).code !== 'CONNECTION_LOST') return false;
    }
    return this.host.opened().then(
      () => this.resynced,
      () => false,
    );
  }

  private setState(state: StreamReceiverState, reason?: string): void {
    this._reason = reason;
    if (this._state === state) return;
    this._state = state;
    this.emit('state', state);
  }
}

const wireLimit = (limit: StreamLimit): WireLimit => ({
  priority: limit.priority ?? DEFAULT_PRIORITY,
  min_spatial: limit.minSpatial ?? 0,
  min_temporal: limit.minTemporal ?? 0,
  max_spatial: limit.maxSpatial,
  max_temporal: limit.maxTemporal,
});
