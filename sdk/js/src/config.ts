// The configuration of a session.
import type {
  BitrateControlMode,
  Codecs,
  LatencyMode,
  LogLevel,
  MixMinusMode,
  PublishScope,
  SubscribeScope,
} from './choices.js';
import { Atm0sError } from './errors.js';
import type { MixMinusElements } from './mix_minus.js';
import type { IConnectConfig, IceServer, OfferMeta } from './protocol.js';
import type { ReconnectOptions } from './recovery.js';
import type { SenderConfig } from './sender.js';

export interface ISessionConfig {
  /** The room to join. */
  roomId: string;
  /** This participant, unique in the room. */
  peerId: string;
  /** The right to do so, issued by the media server to your backend. */
  token: string;
  /** Published from the start. */
  senders?: SenderConfig[];
  /**
   * How many receivers are there from the start, so that views need no renegotiation. More are made when they are
   * needed.
   */
  receivers?: { audio?: number; video?: number };
  /** The server picks the loudest others into three audio receivers. */
  mixMinusAudio?: {
    mode: MixMinusMode;
    /** What plays them; without, the SDK makes its own. */
    elements?: MixMinusElements;
  };
  latencyMode?: LatencyMode;
  /** STUN and TURN servers, beside those that the media server names. */
  iceServers?: IceServer[];
  /** What this session may use, in order of preference. */
  codecs?: Codecs[];
  bitrateControlMode?: BitrateControlMode;
  /** Of all sessions of the page. */
  logLevel?: LogLevel;

  // ---- of this SDK alone ----

  /** How a lost connection is got back; false: not at all. */
  reconnect?: ReconnectOptions | false;
  /** Asked for a new token shortly before the present one expires, and when the server refuses it at a reconnection. */
  renewToken?: () => Promise<string>;
  /** What is told of the room. */
  subScope?: SubscribeScope;
  /** What the others are told. */
  pubScope?: PublishScope;
  /** Up to 4,096 bytes, told to the others with `peer_added`. */
  metadata?: string;
}

/** Throws what a caller has to mend. */
export function checkConfig(config: ISessionConfig): void {
  for (const field of ['roomId', 'peerId', 'token'] as const) {
    if (typeof config[field] !== 'string') throw new Atm0sError('INVALID_USE', `${field} is missing`);
  }
}

/** The body of the connect call. Fields that were not configured stay away: servers know them as absent. */
export function connectBody(config: ISessionConfig, token: string, meta: OfferMeta): IConnectConfig {
  const body: IConnectConfig = {
    room: config.roomId,
    peer: config.peerId,
    token,
    ...meta,
    applies_stream_limits: true,
  };
  if (config.mixMinusAudio) body.mix_minus_audio = config.mixMinusAudio.mode;
  if (config.codecs?.length) body.codecs = config.codecs;
  if (config.latencyMode) body.latency_mode = config.latencyMode;
  if (config.bitrateControlMode) body.remote_bitrate_control_mode = config.bitrateControlMode;
  if (config.subScope) body.sub_scope = config.subScope;
  if (config.pubScope) body.pub_scope = config.pubScope;
  if (config.metadata !== undefined) body.metadata = config.metadata;
  return body;
}
