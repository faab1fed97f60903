// A consumer: one stream of the room for several places of a page, each under a key of its own. They share a
// receiver, which is taken with the first view and given back with the last.
import type { StreamReceiverState } from './choices.js';
import { TypedEventEmitter } from './events.js';
import type { StreamLimit, StreamReceiver } from './receiver.js';
import { DEFAULT_LIMIT } from './receiver.js';
import type { RemoteStreamQuality, StreamRemote } from './remote.js';

export interface IConsumerCallbacks {
  state: (state: StreamReceiverState) => void;
  audio_level: (level: number) => void;
  quality: (quality: RemoteStreamQuality | undefined) => void;
  track_added: (track: MediaStreamTrack) => void;
}

export interface ViewInfo {
  priority: number;
  minSpatial: number;
  maxSpatial: number;
  minTemporal: number;
  maxTemporal: number;
}

/** Where receivers come from. */
export interface ReceiverSource {
  takeReceiver(kind: StreamRemote['kind']): StreamReceiver;
  backReceiver(receiver: StreamReceiver): void;
}

export class StreamConsumer extends TypedEventEmitter<IConsumerCallbacks> {
  private receiver: StreamReceiver | undefined;
  private readonly views = new Map<string, ViewInfo>();
  private ends: (() => void)[] = [];
  private sent: ViewInfo | undefined;

  /** @internal */
  constructor(
    private readonly session: ReceiverSource,
    private readonly _remote: StreamRemote,
  ) {
    super();
  }

  get remote(): StreamRemote {
    return this._remote;
  }
  get state(): StreamReceiverState {
    return this.receiver?.state ?? 'no_source';
  }
  get stream(): MediaStream | undefined {
    return this.receiver?.stream;
  }

  /** Shows the stream in one more place; the answer may get its track a moment later. */
  view(key: string, limit?: StreamLimit): MediaStream {
    this.views.set(key, { ...DEFAULT_LIMIT, ...limit });
    const receiver = this.receiver ?? this.start();
    this.configLayers(receiver);
    return receiver.stream;
  }

  /** What one place wants; the receiver gets the largest of all. */
  limit(key: string, limit: StreamLimit): void {
    if (!this.views.has(key)) return;
    this.views.set(key, { ...DEFAULT_LIMIT, ...limit });
    if (this.receiver) this.configLayers(this.receiver);
  }

  unview(key: string): void {
    if (!this.views.delete(key) || !this.receiver) return;
    if (this.views.size) return this.configLayers(this.receiver);
    const receiver = this.receiver;
    this.ends.forEach((end) => end());
    this.ends = [];
    this.receiver = this.sent = undefined;
    this.session.backReceiver(receiver);
    this.emit('state', 'no_source');
  }

  private start(): StreamReceiver {
    const receiver = this.session.takeReceiver(this._remote.kind);
    this.receiver = receiver;
    this.ends = [
      receiver.on('state', (state) => this.emit('state', state)),
      receiver.on('audio_level', (level) => this.emit('audio_level', level)),
      receiver.on('track_added', (track) => this.emit('track_added', track)),
      receiver.on('quality', (quality) => this.emit('quality', quality)),
    ];
    void receiver.switch(this._remote, largest(this.views.values()).priority);
    return receiver;
  }

  private configLayers(receiver: StreamReceiver): void {
    if (this._remote.kind !== 'video') return;
    const wanted = largest(this.views.values());
    if (JSON.stringify(wanted) === JSON.stringify(this.sent)) return;
    this.sent = wanted;
    void receiver.limit(wanted);
  }
}

/** Of each field the largest. */
export function largest(views: Iterable<ViewInfo>): ViewInfo {
  const all = [...views];
  const most = (field: keyof ViewInfo): number => Math.max(...all.map((view) => view[field]));
  return {
    priority: most('priority'),
    minSpatial: most('minSpatial'),
    maxSpatial: most('maxSpatial'),
    minTemporal: most('minTemporal'),
    maxTemporal: most('maxTemporal'),
  };
}
