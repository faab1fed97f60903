// A mixer: the server puts the loudest others into its slots, each a receiver that an audio element plays.
import { asError } from './errors.js';
import { TypedEventEmitter } from './events.js';
import type { SessionHost } from './host.js';
import { Playback } from './playback.js';
import type { StreamName } from './protocol.js';
import { isObject } from './protocol.js';
import type { StreamReceiver } from './receiver.js';
import type { RemoteStreamQuality, StreamRemote } from './remote.js';
import type { RPC } from './rpc.js';

export const SLOTS = 3;

/** A source and its level in dBov. */
export type SlotState = [string, number] | null;

export interface ReceiverMixMinusAudioState {
  /** Slot by slot. */
  active: SlotState[];
  sources: Record<string, number>;
}

export interface MixMinusRemoteStreamQuality extends RemoteStreamQuality {
  slot: number;
}

export interface IMixMinusCallbacks {
  state: (state: ReceiverMixMinusAudioState) => void;
  quality: (quality: MixMinusRemoteStreamQuality) => void;
  /** The browser wants a gesture of the user before it plays sound; the next one is taken, or call `play` in one. */
  autoplay_blocked: () => void;
  autoplay_resumed: () => void;
  /** `slot_0` … `slot_2`: who is in it now. */
  [slot: `slot_${number}`]: (state: SlotState) => void;
  /** `source_{name}`: its level, null when it is none any more. */
  [source: `source_${string}`]: (level: number | null) => void;
}

export type MixMinusElements = [HTMLAudioElement, HTMLAudioElement, HTMLAudioElement];

export class ReceiverMixMinusAudio extends TypedEventEmitter<IMixMinusCallbacks> {
  readonly elements: (HTMLAudioElement | null)[];
  /** Those that `addSource` named. */
  readonly sources = new Map<string, { peerId: string; streamName: string }>();
  _state: ReceiverMixMinusAudioState = { active: Array<SlotState>(SLOTS).fill(null), sources: {} };
  private readonly playback: Playback;
  private enabled = true;
  private isPlaying = false;

  /** @internal */
  constructor(
    readonly id: string,
    private readonly host: SessionHost,
    readonly receivers: readonly StreamReceiver[],
    elements?: MixMinusElements,
  ) {
    super();
    this.playback = new Playback(host.platform.page, (blocked) =>
      this.emit(blocked ? 'autoplay_blocked' : 'autoplay_resumed'),
    );
    this.elements = receivers.map((_, slot) => elements?.[slot] ?? this.createElement());
    receivers.forEach((receiver, slot) => {
      receiver.on('quality', (quality) => this.emit('quality', { ...quality, slot }));
      receiver.on('track_added', () => void this.play());
    });
  }

  get state(): ReceiverMixMinusAudioState {
    return this._state;
  }

  /** The browser has refused to play. */
  get blocked(): boolean {
    return this.playback.blocked;
  }

  /** For a slot that was given no element. It is heard without being in the page. */
  createElement(): HTMLAudioElement | null {
    return this.host.platform.createAudio() ?? null;
  }

  /** Binds the slots. The session does that; again after a reconnection. */
  connect(): Promise<void> {
    const bound = this.receivers.map((receiver, slot) =>
      receiver.switchTo({ peer: '', stream: `mix_minus_${this.id}_${slot}` }),
    );
    return Promise.all(bound).then(() => {});
  }

  /** To be called in a user's gesture after `autoplay_blocked`. Resolves to whether all slots may play. */
  play(): Promise<boolean> {
    if (!this.isPlaying) {
      this.isPlaying = true;
      this.elements.forEach((element, slot) => {
        const stream = this.receivers[slot]?.stream;
        if (element && stream) this.playback.add(element, stream);
      });
    }
    return this.playback.play();
  }

  /** Lets go of all elements: nothing is heard until `play`. */
  releaseElements(): void {
    this.playback.close();
    this.isPlaying = false;
  }

  /** In the mode ManualAudioStreams: may be heard from now on. */
  addSource(remote: StreamRemote): Promise<void> {
    return this.addSourceManual(remote.peerId, remote.name);
  }

  removeSource(remote: StreamRemote): Promise<void> {
    return this.removeSourceManual(remote.peerId, remote.name);
  }

  addSourceManual(peerId: string, streamName: string): Promise<void> {
    this.sources.set(sourceKey(peerId, streamName), { peerId, streamName });
    return this.tell('mix_minus.add', { peer: peerId, stream: streamName });
  }

  removeSourceManual(peerId: string, streamName: string): Promise<void> {
    this.sources.delete(sourceKey(peerId, streamName));
    return this.tell('mix_minus.remove', { peer: peerId, stream: streamName });
  }

  /** Off: nobody is heard, until it is on again. Rejects when the server refuses. */
  async toggle(enable: boolean): Promise<void> {
    this.enabled = enable;
    const { rpc } = this.host;
    if (rpc) await rpc.ask('mix_minus.toggle', { id: this.id, enable });
  }

  /** The data channel has opened. Its receivers bind themselves; they are told before. @internal */
  resync(rpc: RPC): void {
    const id = this.id;
    for (const { peerId, streamName } of this.sources.values()) {
      void rpc.request('mix_minus.add', { id, remote: { peer: peerId, stream: streamName } }).catch(() => {});
    }
    if (!this.enabled) void rpc.request('mix_minus.toggle', { id, enable: false }).catch(() => {});
  }

  /** `mix_minus_{id}_state`. @internal */
  onState(data: unknown): void {
    if (!isObject(data)) return;
    const before = this._state;
    const active = Array.isArray(data['active']) ? data['active'] : [];
    this._state = {
      active: Array.from({ length: SLOTS }, (_, slot) => readSlot(active[slot])),
      sources: isObject(data['sources']) ? (data['sources'] as Record<string, number>) : {},
    };
    this.emit('state', this._state);
    this._state.active.forEach((now, slot) => {
      if (JSON.stringify(now) !== JSON.stringify(before.active[slot] ?? null)) this.emit(`slot_${slot}`, now);
    });
    for (const name of new Set([...Object.keys(before.sources), ...Object.keys(this._state.sources)])) {
      const level = this._state.sources[name] ?? null;
      if (level !== (before.sources[name] ?? null)) this.emit(`source_${name}`, level);
    }
  }

  /** At the session's end. @internal */
  end(): void {
    this.releaseElements();
    this.elements.fill(null);
    this.offAllListeners();
  }

  // A refusal is told by the session's `error`: code that was written for the first SDK expects no rejection.
  private async tell(cmd: 'mix_minus.add' | 'mix_minus.remove', remote: StreamName): Promise<void> {
    const { rpc } = this.host;
    if (!rpc) return; // the sources are told when the channel opens
    await rpc.ask(cmd, { id: this.id, remote }).catch((error: unknown) => {
      const failure = asError(error);
      // The connection is being made anew, and then they are told.
      if (failure.code !== 'CONNECTION_LOST') this.host.failed(failure);
    });
  }
}

const sourceKey = (peer: string, stream: string): string => JSON.stringify([peer, stream]);

function readSlot(value: unknown): SlotState {
  return Array.isArray(value) ? [String(value[0]), Number(value[1])] : null;
}
