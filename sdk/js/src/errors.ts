// Everything that fails does so as an Atm0sError: a code to act on, a sentence to read.

/** What the server refuses with, docs/errors.md. It may grow. */
export type ServerErrorCode =
  | 'INVALID_TOKEN'
  | 'FORBIDDEN'
  | 'INVALID_REQUEST'
  | 'UNKNOWN_REQUEST'
  | 'INVALID_SDP'
  | 'UNSUPPORTED_SDP'
  | 'CONN_NOT_FOUND'
  | 'TRACK_NOT_FOUND'
  | 'NOT_SUPPORTED'
  | 'UNSUPPORTED_CODEC'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'TOO_LARGE'
  | 'TOO_MANY'
  | 'RATE_LIMITED'
  | 'BUSY'
  | 'SHUTTING_DOWN'
  | 'SERVER_ERROR';

/** What fails on this side. */
export type ClientErrorCode =
  /** The server could not be reached over HTTP. */
  | 'NETWORK_ERROR'
  /** None of several servers is ready. */
  | 'NO_SERVER'
  /** No answer in time. */
  | 'TIMEOUT'
  /** An answer that is none of this protocol. */
  | 'BAD_ANSWER'
  /** ICE, DTLS or the data channel did not come up, or went down. */
  | 'CONNECTION_LOST'
  /** `disconnect` was called, or the session has ended. */
  | 'CLOSED'
  /** Something was asked for that cannot be: a name twice, no microphone in the stream. */
  | 'INVALID_USE';

export type ErrorCode = ServerErrorCode | ClientErrorCode | (string & {});

/** `message` is the code itself, as the first-generation SDK had it; `detail` says more. */
export class Atm0sError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly detail = '',
    options?: { cause?: unknown },
  ) {
    super(code);
    this.name = 'Atm0sError';
    if (options && 'cause' in options) this.cause = options.cause;
  }

  declare readonly cause?: unknown;

  override toString(): string {
    return this.detail ? `${this.code}: ${this.detail}` : this.code;
  }
}

/** Whatever was thrown, as one of ours. */
export function asError(thrown: unknown, code: ErrorCode = 'CONNECTION_LOST'): Atm0sError {
  if (thrown instanceof Atm0sError) return thrown;
  return new Atm0sError(code, thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

const NO_USE_IN_TRYING_AGAIN: readonly ErrorCode[] = [
  'INVALID_TOKEN',
  'FORBIDDEN',
  'INVALID_REQUEST',
  'INVALID_SDP',
  'UNSUPPORTED_SDP',
  'NOT_SUPPORTED',
  'TOO_LARGE',
  'CLOSED',
  'INVALID_USE',
];

/** The same call would be refused again. */
export const isFinal = (error: Atm0sError): boolean => NO_USE_IN_TRYING_AGAIN.includes(error.code);
