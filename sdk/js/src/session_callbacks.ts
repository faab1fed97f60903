// The events of a session.
import type { RealtimeSocketState } from './choices.js';
import type { Atm0sError } from './errors.js';
import type { StreamRemote } from './remote.js';
import type { ClosingNotice, RemotePeer, RoomStats } from './server_events.js';

export interface ISessionCallbacks {
  /** The server has told of a stream of this session itself. */
  mystream_added: (stream: StreamRemote) => void;
  mystream_removed: (stream: StreamRemote) => void;
  mystream_updated: (stream: StreamRemote) => void;
  /** Somebody else publishes a stream. */
  stream_added: (stream: StreamRemote) => void;
  stream_removed: (stream: StreamRemote) => void;
  stream_updated: (stream: StreamRemote) => void;
  peer_added: (peer: RemotePeer) => void;
  peer_updated: (peer: RemotePeer) => void;
  peer_removed: (peer: RemotePeer) => void;
  room_stats: (stats: RoomStats) => void;
  /** Of the connection. */
  peer_state: (state: RealtimeSocketState) => void;
  /** Of the data channel. */
  dc_state: (state: RealtimeSocketState) => void;
  /** For the first time; after that see `reconnected`. */
  connected: () => void;
  /** Media does not flow; it is being got back. */
  reconnecting: () => void;
  reconnected: () => void;
  /** The server is about to end the session, and why. */
  closing: (notice: ClosingNotice) => void;
  /** Something in the background failed: a sender that the server refused, a token that could not be renewed. */
  error: (error: Atm0sError) => void;
  /** It is over, and not by `disconnect`. `reason` is the server's, or an error code. Nothing comes after it. */
  disconnected: (reason: string) => void;
}
