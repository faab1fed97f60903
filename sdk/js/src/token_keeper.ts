// The session's token: renewed shortly before it expires, and when a server does not take it any more.
import { Atm0sError, asError } from './errors.js';
import type { Timers } from './timers.js';

const RENEW_BEFORE_MS = 30_000;
/** What a timer of a browser takes; a token that lives longer is renewed after the next connect. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface TokenCallbacks {
  /** In a call: the server has to know. */
  renewed(token: string): Promise<void>;
  failed(error: Atm0sError): void;
}

export class TokenKeeper {
  private cancel = (): void => {};
  private isOver = false;

  constructor(
    public token: string,
    private readonly ask: (() => Promise<string>) | undefined,
    private readonly timers: Timers,
    private readonly told: TokenCallbacks,
  ) {}

  set(token: string): void {
    this.token = token;
    this.schedule();
  }

  /** From now on, while the session is connected. */
  schedule(): void {
    this.cancel();
    if (this.isOver) return;
    const expires = this.ask && tokenExpiry(this.token);
    if (!expires) return;
    const wait = Math.max(0, expires - RENEW_BEFORE_MS - Date.now());
    if (wait < LONGEST_TIMER_MS) this.cancel = this.timers.after(wait, () => void this.renewInCall());
  }

  /** What is asked for already has no effect any more. */
  end(): void {
    this.isOver = true;
    this.cancel();
  }

  /** Resolves to whether there is another one now. */
  async renew(): Promise<boolean> {
    if (!this.ask) return false;
    try {
      const token = await this.ask();
      if (this.isOver || token === this.token) return false;
      this.set(token);
      return true;
    } catch (error) {
      this.told.failed(new Atm0sError('INVALID_TOKEN', 'the token could not be renewed', { cause: error }));
      return false;
    }
  }

  private async renewInCall(): Promise<void> {
    if (await this.renew())
      await this.told.renewed(this.token).catch((error: unknown) => this.told.failed(asError(error)));
  }
}

/** When a token expires, in milliseconds since 1970; nothing when it says nothing. */
export function tokenExpiry(token: string): number | undefined {
  try {
    const claims = token.split('.')[1] ?? '';
    const parsed: unknown = JSON.parse(atob(claims.replace(/-/g, '+').replace(/_/g, '/')));
    const exp = (parsed as { exp?: unknown } | null)?.exp;
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
