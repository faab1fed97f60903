// What senders, receivers and mixers know of their session.
import type { Codecs, LatencyMode } from './choices.js';
import type { Atm0sError } from './errors.js';
import type { Platform } from './platform.js';
import type { RPC } from './rpc.js';

export interface SessionHost {
  readonly platform: Platform;
  /** While the data channel is open. */
  readonly rpc: RPC | null;
  readonly codecs: readonly Codecs[] | undefined;
  readonly latencyMode: LatencyMode | undefined;
  /**
   * Resolves when the data channel is open and everything has been told over it; rejects when the session has
   * ended.
   */
  opened(): Promise<void>;
  /** Lines were added or stopped: offer anew, soon. */
  renegotiate(): void;
  /** Something that nobody waits for went wrong. */
  failed(error: Atm0sError): void;
}
