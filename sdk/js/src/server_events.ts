// What the server tells, given to whom it is for.
import type { ReceiverMixMinusAudio } from './mix_minus.js';
import { isObject, isStreamEvent, readAddressed } from './protocol.js';
import type { StreamReceiver } from './receiver.js';
import type { RemoteStreamQuality, RemoteStreams } from './remote.js';
import type { StreamSender } from './sender.js';

export interface RoomStats {
  peers: number;
}

/** Another participant of the room. */
export interface RemotePeer {
  peerId: string;
  peerHash: string;
  /** Missing when it has gone. */
  state?: 'New' | 'Connecting' | 'Connected' | 'Reconnecting';
  protocol?: string;
  /** Of its configuration, or of its token. */
  metadata?: string;
}

/** Why the server is about to end the session: `shutdown`, `drain`, `kick`, `replaced`, `token_expired`, … */
export interface ClosingNotice {
  reason: string;
  /** When to come back, milliseconds. */
  retryMs?: number;
}

export interface ServerEventTargets {
  remotes: RemoteStreams;
  sender(name: string): StreamSender | undefined;
  receiver(id: string): StreamReceiver | undefined;
  mixer(id: string): ReceiverMixMinusAudio | undefined;
  room(stats: RoomStats): void;
  peer(change: 'added' | 'updated' | 'removed', peer: RemotePeer): void;
  closing(notice: ClosingNotice): void;
}

export class ServerEvents {
  constructor(private readonly to: ServerEventTargets) {}

  /** What is unknown or malformed is passed over. */
  take(name: string, data: unknown): void {
    if (name === 'stream_added' || name === 'stream_updated') {
      if (isStreamEvent(data)) this.to.remotes.put(data);
    } else if (name === 'stream_removed') {
      if (isStreamEvent(data)) this.to.remotes.remove(data.peer, data.stream);
    } else if (name === 'peer_added' || name === 'peer_updated' || name === 'peer_removed') {
      this.takePeer(name.slice('peer_'.length) as 'added' | 'updated' | 'removed', data);
    } else if (name === 'room_stats') {
      if (isObject(data)) this.to.room({ ...data, peers: Number(data['peers']) });
    } else if (name === 'session_closing') {
      this.to.closing(readNotice(data));
    } else {
      this.takeAddressed(name, data);
    }
  }

  private takePeer(change: 'added' | 'updated' | 'removed', data: unknown): void {
    if (!isObject(data) || typeof data['peer'] !== 'string') return;
    const peer: RemotePeer = { peerId: data['peer'], peerHash: String(data['peer_hash']) };
    const state = data['state'];
    if (isObject(state)) {
      if (typeof state['state'] === 'string') peer.state = state['state'] as NonNullable<RemotePeer['state']>;
      if (typeof state['protocol'] === 'string') peer.protocol = state['protocol'];
      if (typeof state['metadata'] === 'string') peer.metadata = state['metadata'];
    }
    this.to.peer(change, peer);
  }

  private takeAddressed(name: string, data: unknown): void {
    const event = readAddressed(name);
    if (event?.target === 'sender') this.to.sender(event.id)?.onEvent(event.what, data);
    else if (event?.target === 'mixer') this.to.mixer(event.id)?.onState(data);
    else if (event?.target === 'receiver') this.takeReceiver(event.id, event.what, data);
  }

  private takeReceiver(id: string, what: string, data: unknown): void {
    const receiver = this.to.receiver(id);
    if (!receiver) return;
    const quality = what === 'quality' ? this.readQuality(receiver, data) : undefined;
    receiver.onEvent(what, data, quality);
    if (quality) this.to.remotes.find(quality.peer, quality.name)?.updateQuality(quality);
  }

  /** {mos: 1000…5000, peer: peer_hash, name} */
  private readQuality(receiver: StreamReceiver, data: unknown): RemoteStreamQuality | undefined {
    if (!isObject(data) || typeof data['mos'] !== 'number') return undefined;
    const remote = this.to.remotes.findByHash(String(data['peer']), String(data['name']));
    const peer = remote?.peerId ?? receiver.source?.peer;
    return peer === undefined
      ? undefined
      : { peer, name: String(data['name']), kind: receiver.kind, mos: data['mos'] / 1000 };
  }
}

function readNotice(data: unknown): ClosingNotice {
  const reason = isObject(data) && typeof data['reason'] === 'string' ? data['reason'].replace(/\W+/g, '_') : 'closed';
  return isObject(data) && typeof data['retry_ms'] === 'number' ? { reason, retryMs: data['retry_ms'] } : { reason };
}
