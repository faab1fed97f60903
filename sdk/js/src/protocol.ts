// The wire: requests and events of the data channel and the bodies of HTTP calls (docs/session-protocol.md), as types.
import type { StreamKinds } from './choices.js';

export interface IceServer {
  urls: string | string[];
  username?: string;
  credential?: string;
}

export interface SenderInfo {
  uuid: string;
  label: string;
  kind: StreamKinds;
  name: string;
  screen?: boolean;
  simulcast?: boolean;
  max_bitrate?: number;
  content_hint?: string;
}

/** What goes with every offer. */
export interface OfferMeta {
  sdp: string;
  senders: SenderInfo[];
  receivers: { audio: number; video: number };
}

export interface IConnectConfig extends OfferMeta {
  room: string;
  peer: string;
  token: string;
  mix_minus_audio?: string;
  codecs?: string[];
  sub_scope?: string;
  pub_scope?: string;
  latency_mode?: string;
  remote_bitrate_control_mode?: string;
  applies_stream_limits?: boolean;
  metadata?: string;
}

export interface ConnectAnswer {
  node_id: number;
  conn_id: string;
  sdp: string;
  ice_servers?: IceServer[];
}

export interface StreamName {
  peer: string;
  stream: string;
}

export interface WireLimit {
  priority: number;
  min_spatial?: number;
  max_spatial: number;
  min_temporal?: number;
  max_temporal: number;
}

/** Requests by name, and what each takes. */
export interface RpcRequests {
  'peer.ping': null;
  'peer.close': null;
  'peer.updateSdp': OfferMeta;
  'peer.token': { token: string };
  /** `track` absent: switched to nothing; null: stopped. */
  'sender.toggle': { name: string; kind: StreamKinds; track?: string | null; label?: string };
  'receiver.switch': { id: string; priority: number; remote: StreamName };
  'receiver.limit': { id: string; limit: WireLimit };
  'receiver.disconnect': { id: string };
  'mix_minus.add': { id: string; remote: StreamName };
  'mix_minus.remove': { id: string; remote: StreamName };
  'mix_minus.toggle': { id: string; enable: boolean };
  'room.subscribe': { peer: string };
  'room.unsubscribe': { peer: string };
}

export interface RpcResponse<T = unknown> {
  status: boolean;
  data: T;
  error?: string;
}

export interface RpcMessage {
  type: 'event' | 'answer' | 'request';
  event?: string;
  req_id?: number;
  success?: boolean;
  data?: unknown;
  error?: string;
}

export interface StreamEventData {
  peer: string;
  peer_hash: number | string;
  kind: StreamKinds;
  stream: string;
  state: Record<string, unknown> | null;
}

/** An event that carries in its name for whom it is: `local_stream_video_0_state`. */
export interface AddressedEvent {
  target: 'receiver' | 'sender' | 'mixer';
  /** Id of a receiver or mixer, name of a sender. */
  id: string;
  what: 'state' | 'audio_level' | 'quality' | 'limit';
}

const ADDRESSED: [AddressedEvent['target'], RegExp][] = [
  ['receiver', /^local_stream_(.+)_(state|audio_level|quality)$/s],
  ['sender', /^remote_stream_(.+)_(state|audio_level|limit)$/s],
  ['mixer', /^mix_minus_(.+)_(state)$/s],
];

export function readAddressed(event: string): AddressedEvent | undefined {
  for (const [target, pattern] of ADDRESSED) {
    const [, id, what] = pattern.exec(event) ?? [];
    if (id && what) return { target, id, what: what as AddressedEvent['what'] };
  }
  return undefined;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isStreamEvent = (data: unknown): data is StreamEventData =>
  isObject(data) && typeof data['peer'] === 'string' && typeof data['stream'] === 'string';

/** The value if it is one of those, else nothing: what comes over the wire may be newer than this code. */
export function oneOf<T extends string>(choices: Record<string, T>, value: unknown): T | undefined {
  return Object.values(choices).find((choice) => choice === value);
}
