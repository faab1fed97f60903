/**
 * The browser SDK of Atm0s: join a room, publish into it, view what others publish.
 *
 * The names are those of the first-generation SDK (npm `@8xff/atm0s-media-js`): code written for it runs unchanged.
 * @packageDocumentation
 */
import type { ISessionConfig } from './config.js';
import { Session } from './session.js';

/** A session that is not connected yet. `urls`: the media server, or several that serve the same room. */
export function createSession(urls: string | string[], cfg: ISessionConfig): Session {
  return new Session(urls, cfg);
}

export { Session } from './session.js';
export type { ISessionCallbacks } from './session_callbacks.js';
export type { ISessionConfig } from './config.js';
export type { LinkState as SessionState } from './link.js';
export type { ReconnectOptions } from './recovery.js';
export { StreamSender } from './sender.js';
export type { IStreamSender, IStreamSenderCallbacks, SenderConfig } from './sender.js';
export type { StreamLimitNow } from './encodings.js';
export { StreamPublisher } from './publisher.js';
export type { IPublisherCallbacks } from './publisher.js';
export { StreamReceiver } from './receiver.js';
export type { IStreamReceiver, IStreamReceiverCallbacks, StreamLimit } from './receiver.js';
export { StreamConsumer } from './consumer.js';
export type { IConsumerCallbacks, ViewInfo } from './consumer.js';
export { StreamConsumerPair } from './consumer_pair.js';
export { StreamRemote } from './remote.js';
export type { IStreamRemoteCallbacks, RemoteStreamQuality, StreamRemoteState } from './remote.js';
export { ReceiverMixMinusAudio } from './mix_minus.js';
export type {
  IMixMinusCallbacks,
  MixMinusElements,
  MixMinusRemoteStreamQuality,
  ReceiverMixMinusAudioState,
  SlotState,
} from './mix_minus.js';
export type { ClosingNotice, RemotePeer, RoomStats } from './server_events.js';
export type { LayerStats, ReceiverStats, SenderStats, SessionStats } from './stats.js';
export { Atm0sError } from './errors.js';
export type { ClientErrorCode, ErrorCode, ServerErrorCode } from './errors.js';
export { TypedEventEmitter } from './events.js';
export { getLogger, setLogLevel } from './log.js';
export { MediaGatewayConnector } from './gateway.js';
export { RPC } from './rpc.js';
export type {
  ConnectAnswer,
  IConnectConfig,
  IceServer,
  OfferMeta,
  RpcRequests,
  RpcResponse,
  SenderInfo,
  StreamName,
} from './protocol.js';
export * from './choices.js';

import type { ISessionCallbacks } from './session_callbacks.js';
export type SessionEvent = keyof ISessionCallbacks;
