// A sender: what this session publishes under a name. It lives through reconnections, each gives it a new m-line.
import type { Codecs, ContentHint, StreamKinds } from './choices.js';
import { StreamSenderState } from './choices.js';
import { orderCodecs } from './codecs.js';
import type { StreamLimitNow } from './encodings.js';
import { limitEncodings, makeEncodings } from './encodings.js';
import { TypedEventEmitter } from './events.js';
import type { SessionHost } from './host.js';
import { getLogger } from './log.js';
import type { SenderInfo } from './protocol.js';
import { isObject, oneOf } from './protocol.js';
import type { Msid } from './sdp.js';

/** What is published under a name. */
export interface SenderConfig {
  /** Unique in the session, such as `video_main`. */
  name: string;
  kind: StreamKinds;
  /** Its first track of the kind is sent; without one the sender is there, and silent. */
  stream?: MediaStream | null;
  /** In order; the others stay possible behind them. */
  preferredCodecs?: Codecs[];
  /** Video in several sizes, so that each viewer gets what fits. */
  simulcast?: boolean;
  /** bit/s, of all layers together; 0: no cap. */
  maxBitrate?: number;
  contentHint?: ContentHint;
  /** A shared screen or window. Unless `contentHint` says another, it counts as `detail`. */
  screen?: boolean;
  /** What viewers are told; else the track's own label. */
  label?: string;
}

export interface IStreamSenderCallbacks {
  state: (state: StreamSenderState) => void;
  /** dBov, -127 (silent) to 0, as the server hears it. */
  audio_level: (level: number) => void;
  /** What the server lets it send now. */
  limit: (limit: StreamLimitNow) => void;
  stopped: (sender: IStreamSender) => void;
}

export interface IStreamSender extends TypedEventEmitter<IStreamSenderCallbacks> {
  readonly state: StreamSenderState;
  readonly stream: MediaStream | undefined | null;
  readonly uuid: string;
  readonly label?: string | undefined;
  readonly name: string;
  readonly kind: StreamKinds;
  readonly simulcast?: boolean | undefined;
  readonly maxBitrate?: number | undefined;
  readonly isScreen?: boolean | undefined;
  switch(stream: MediaStream | null, label?: string): void;
  stop(): Promise<void>;
}

export class StreamSender extends TypedEventEmitter<IStreamSenderCallbacks> implements IStreamSender {
  private readonly logger = getLogger('sender');
  private _state: StreamSenderState = 'created';
  private _stream: MediaStream | null;
  private _label: string | undefined;
  private line: RTCRtpTransceiver | null = null;
  private msid: Msid | null = null;
  /** What the server knows of the track; null before the offer. */
  private told: { hasTrack: boolean; label: string } | null = null;
  private limitNow: StreamLimitNow | undefined;
  private changes: Promise<void> = Promise.resolve();

  /** @internal */
  constructor(
    private readonly host: SessionHost,
    private readonly config: SenderConfig,
    private readonly onStop: (sender: StreamSender, done: Promise<void>) => void,
  ) {
    super();
    this._stream = config.stream ?? null;
    this._label = config.label;
  }

  get name(): string {
    return this.config.name;
  }
  get kind(): StreamKinds {
    return this.config.kind;
  }
  get state(): StreamSenderState {
    return this._state;
  }
  get stream(): MediaStream | null {
    return this._stream;
  }
  get simulcast(): boolean | undefined {
    return this.config.simulcast;
  }
  get maxBitrate(): number | undefined {
    return this.config.maxBitrate;
  }
  get isScreen(): boolean | undefined {
    return this.config.screen;
  }
  /** Names it in the offer. */
  get uuid(): string {
    return (this.track ? this.msid?.trackId : this.msid?.streamId) ?? this.track?.id ?? this.name;
  }
  get label(): string | undefined {
    return this._label ?? this.track?.label;
  }
  /** What the server lets it send now; nothing while it has said nothing. */
  get limit(): StreamLimitNow | undefined {
    return this.limitNow;
  }
  /** The browser's own object, for what this SDK does not do. Another one after a reconnection. */
  get rtcSender(): RTCRtpSender | undefined {
    return this.line?.sender;
  }

  /** Its m-line in the SDP, once it was negotiated. */
  get mid(): string | null {
    return this.line?.mid ?? null;
  }

  private get track(): MediaStreamTrack | undefined {
    return trackOf(this._stream, this.kind);
  }

  /** Sends another stream from now on; null: nothing, until the next call. */
  switch(stream: MediaStream | null, label?: string): void {
    if (this._state === 'closed') return;
    this._stream = stream;
    if (label !== undefined) this._label = label;
    this.putTrack();
    this.sync();
  }

  /** Ends it for good. Its own track is stopped, too: the camera's light goes out. */
  stop(): Promise<void> {
    if (this._state === 'closed') return Promise.resolve();
    const { rpc } = this.host;
    const told =
      this.told && rpc
        ? rpc.request('sender.toggle', { name: this.name, kind: this.kind, track: null })
        : Promise.resolve();
    const done = told.then(
      () => {},
      () => {},
    );
    this.track?.stop();
    this.end();
    this.onStop(this, done);
    return done;
  }

  /** Without a word to the server. @internal */
  end(): void {
    if (this._state === 'closed') return;
    void this.line?.sender.replaceTrack(null).catch(() => {});
    try {
      this.line?.stop();
    } catch {
      // the connection is closed already
    }
    this.line = null;
    this._stream = null;
    this.setState('closed');
    this.emit('stopped', this);
  }

  /** A new connection: its m-line, before the offer. @internal */
  attach(connection: RTCPeerConnection): void {
    const stream = this.host.platform.createStream();
    const wishes = this.config;
    const first = firstUse(connection, this.track) ?? this.kind;
    const add = (encodings: RTCRtpEncodingParameters[]) =>
      connection.addTransceiver(first, { direction: 'sendonly', streams: [stream], sendEncodings: encodings });
    const encodings = makeEncodings(wishes);
    try {
      this.line = add(encodings);
    } catch {
      // a browser that knows scalability modes, but none of these codecs with this one
      this.line = add(
        encodings.map(
          ({ scalabilityMode: _, ...rest }: RTCRtpEncodingParameters & { scalabilityMode?: string }) => rest,
        ),
      );
    }
    this.msid = { streamId: stream.id, trackId: '' };
    this.told = null;
    this.limitNow = undefined;
    const preferences = orderCodecs(this.kind, this.host.platform.codecs(this.kind), {
      preferred: wishes.preferredCodecs,
      allowed: this.host.codecs,
    });
    if (preferences) this.line.setCodecPreferences?.(preferences);
    this.putTrack();
    if (this._state !== 'created') this.setState('created');
  }

  /** That offer has its m-line. One that was added while the offer was made has to wait for the next. @internal */
  isIn(msids: Map<string, Msid>): boolean {
    return !!this.msid && msids.has(this.msid.streamId);
  }

  /** For the offer: which of its m-lines this is. @internal */
  describe(msids: Map<string, Msid>): SenderInfo {
    if (this.msid) this.msid = msids.get(this.msid.streamId) ?? this.msid;
    const hint = this.hint;
    const info: SenderInfo = { uuid: this.uuid, label: this.label ?? '', kind: this.kind, name: this.name };
    if (this.config.screen) info.screen = true;
    if (this.config.simulcast && this.kind === 'video') info.simulcast = true;
    if (this.config.maxBitrate) info.max_bitrate = this.config.maxBitrate;
    if (hint) info.content_hint = hint;
    if (!this.told) {
      this.told = { hasTrack: !!this.track, label: info.label };
      if (this.track) this.setState('connecting');
    }
    return info;
  }

  /** The offer that it was new in was refused. @internal */
  isNew(): boolean {
    return this.line !== null && this.line.mid === null;
  }

  /** Tells the server what has changed since it was told last. @internal */
  sync(): void {
    const { rpc } = this.host;
    const now = { hasTrack: !!this.track, label: this.label ?? '' };
    if (this._state === 'closed' || !this.told) return;
    if (!now.hasTrack) this.setState('deactived');
    else if (this._state === 'deactived') this.setState('connecting');
    if (!rpc || (now.hasTrack === this.told.hasTrack && now.label === this.told.label)) return;
    this.told = now;
    const data = { name: this.name, kind: this.kind };
    rpc.request('sender.toggle', now.hasTrack ? { ...data, track: this.uuid, label: now.label } : data).then(
      (answer) => answer.status || this.logger.warn(`${this.name}: the switch was refused:`, answer.error),
      (error: unknown) => this.logger.debug(`${this.name}: the switch was not answered:`, error),
    );
  }

  /** An event of the server for this sender. @internal */
  onEvent(what: string, data: unknown): void {
    if (this._state === 'closed' || !isObject(data)) return;
    if (what === 'state') {
      const state = oneOf(StreamSenderState, data['state']);
      if (state && state !== 'closed') this.setState(state);
    } else if (what === 'audio_level') {
      this.emit('audio_level', Number(data['level']));
    } else if (what === 'limit') {
      const layers = Array.isArray(data['layers']) ? data['layers'].map(Number) : [0, 1, 2];
      this.limitNow = { maxBitrate: Number(data['max_bitrate']) || 0, layers };
      this.applyLimit();
      this.emit('limit', this.limitNow);
    }
  }

  private get hint(): ContentHint | undefined {
    return this.config.contentHint ?? (this.config.screen && this.kind === 'video' ? 'detail' : undefined);
  }

  private putTrack(): void {
    const track = this.track ?? null;
    const hint = this.hint;
    if (track && hint && 'contentHint' in track) track.contentHint = hint === 'none' ? '' : hint;
    const line = this.line;
    if (!line || line.sender.track === track) return;
    this.changes = this.changes
      .then(() =>
        this.line === line && this.track === (track ?? undefined) ? line.sender.replaceTrack(track) : undefined,
      )
      .catch((error: unknown) => this.logger.error(`${this.name}: the track cannot be sent`, error));
  }

  // One change of parameters at a time: the browser refuses those that another one has overtaken.
  private applyLimit(): void {
    const line = this.line;
    this.changes = this.changes
      .then(async () => {
        if (!line || this.line !== line || this.kind === 'audio') return;
        const parameters = line.sender.getParameters();
        if (!parameters.encodings?.length) return;
        parameters.encodings = limitEncodings(parameters.encodings, this.config, this.limitNow);
        await line.sender.setParameters(parameters);
      })
      .catch((error: unknown) => this.logger.warn(`${this.name}: the limit cannot be applied`, error));
  }

  private setState(state: StreamSenderState): void {
    if (this._state === state) return;
    this._state = state;
    this.emit('state', state);
  }
}

/** Tracks that an m-line was made with. It keeps their id for its msid, whatever it sends later. */
const tracksOfLines = new WeakMap<RTCPeerConnection, Set<MediaStreamTrack>>();

/**
 * The track, unless the msid of another m-line has its id: then the m-line is made without, and gets an id of its
 * own.
 */
function firstUse(connection: RTCPeerConnection, track: MediaStreamTrack | undefined): MediaStreamTrack | undefined {
  const used = tracksOfLines.get(connection) ?? new Set();
  tracksOfLines.set(connection, used);
  if (!track || used.has(track)) return undefined;
  used.add(track);
  return track;
}

export function trackOf(stream: MediaStream | null | undefined, kind: StreamKinds): MediaStreamTrack | undefined {
  return (kind === 'audio' ? stream?.getAudioTracks() : stream?.getVideoTracks())?.[0];
}
