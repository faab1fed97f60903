// What may be chosen in a configuration, and the states that are told: values as they go over the wire. Each is an
// object for code (`Codecs.VP9`) and a type of plain strings ('VP9'), so both ways of writing them are checked.

/** What a stream carries. */
export const StreamKinds = { AUDIO: 'audio', VIDEO: 'video' } as const;
export type StreamKinds = (typeof StreamKinds)[keyof typeof StreamKinds];

/** Codecs, for `codecs` and `preferredCodecs`. */
export const Codecs = { OPUS: 'OPUS', VP8: 'VP8', VP9: 'VP9', H264: 'H264', AV1: 'AV1' } as const;
export type Codecs = (typeof Codecs)[keyof typeof Codecs];

/** What a video shows: `motion` keeps its frame rate when bits are few, `detail` its resolution. */
export const ContentHint = { None: 'none', Motion: 'motion', Detail: 'detail' } as const;
export type ContentHint = (typeof ContentHint)[keyof typeof ContentHint];

/**
 * For how long media is held back to play smoothly: not at all, as the browser sees fit, or for so many
 * milliseconds.
 */
export const LatencyMode = {
  UltraLow: 'ultra-low',
  Default: 'default',
  Smooth200: 'smooth-200',
  Smooth500: 'smooth-500',
  Smooth800: 'smooth-800',
  Smooth1000: 'smooth-1000',
  Smooth2000: 'smooth-2000',
} as const;
export type LatencyMode = (typeof LatencyMode)[keyof typeof LatencyMode];

/** How the bitrate of what a session publishes is governed. */
export const BitrateControlMode = {
  /** All video together: the session's maximum, or what its viewers can use if that is less. The default. */
  SumBitrateWithClientSide: 'SumBitrateWithClientSide',
  /** All video together: the session's maximum, whoever views it. */
  SumBitrateOnly: 'SumBitrateOnly',
  /** Each stream by its own `maxBitrate` and its own viewers. */
  PerStream: 'PerStream',
} as const;
export type BitrateControlMode = (typeof BitrateControlMode)[keyof typeof BitrateControlMode];

/** Whom the mixer takes from: every other audio stream of the room, or those that `addSource` names. */
export const MixMinusMode = { AllAudioStreams: 'AllAudioStreams', ManualAudioStreams: 'ManualAudioStreams' } as const;
export type MixMinusMode = (typeof MixMinusMode)[keyof typeof MixMinusMode];

/** What is told of the room: all, no peers, or only peers that `subscribePeer` names. */
export const SubscribeScope = { Full: 'full', StreamOnly: 'stream_only', Manual: 'manual' } as const;
export type SubscribeScope = (typeof SubscribeScope)[keyof typeof SubscribeScope];

/** What the others are told of this session: all, or its streams without the peer. */
export const PublishScope = { Full: 'full', StreamOnly: 'stream_only' } as const;
export type PublishScope = (typeof PublishScope)[keyof typeof PublishScope];

export const StreamRemoteScalingType = { SINGLE: 'single', SIMULCAST: 'simulcast', SVC: 'svc' } as const;
export type StreamRemoteScalingType = (typeof StreamRemoteScalingType)[keyof typeof StreamRemoteScalingType];

export const StreamRemoteStatus = {
  New: 'new',
  Connecting: 'connecting',
  Connected: 'connected',
  Reconnecting: 'reconnecting',
  Disconnected: 'disconnected',
} as const;
export type StreamRemoteStatus = (typeof StreamRemoteStatus)[keyof typeof StreamRemoteStatus];

/** States of a sender; spelt as on the wire. */
export const StreamSenderState = {
  Created: 'created',
  Connecting: 'connecting',
  Connected: 'connected',
  Deactivated: 'deactived',
  Closed: 'closed',
} as const;
export type StreamSenderState = (typeof StreamSenderState)[keyof typeof StreamSenderState];

/** States of a receiver; spelt as on the wire. */
export const StreamReceiverState = {
  NoSource: 'no_source',
  Connecting: 'connecting',
  Live: 'live',
  Pause: 'paused',
  KeyOnly: 'key_only',
  SourceDeactived: 'source_deactived',
} as const;
export type StreamReceiverState = (typeof StreamReceiverState)[keyof typeof StreamReceiverState];

/** States of the connection and of its data channel. */
export const RealtimeSocketState = {
  Created: 'created',
  Connecting: 'connecting',
  Connected: 'connected',
  Disconnected: 'disconnected',
  Reconnected: 'reconnected',
  Reconnecting: 'reconnecting',
  Failed: 'failed',
  Closed: 'closed',
} as const;
export type RealtimeSocketState = (typeof RealtimeSocketState)[keyof typeof RealtimeSocketState];

/** How much is logged to the console. */
export const LogLevel = { None: 0, Error: 1, Warn: 2, Info: 3, Debug: 4 } as const;
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel];
