// Getting a lost connection back: first by a restart of ICE, which keeps the session, then by a new connection; again
// and again with growing waits, until it is back, the server refuses for good, or it has taken too long. Pure: time,
// chance and the deeds are given.
import type { Atm0sError } from './errors.js';
import { asError, isFinal } from './errors.js';
import { Atm0sError as ErrorOfOurs } from './errors.js';
import type { Timers } from './timers.js';

export interface ReconnectOptions {
  /** Milliseconds before the second try; each further one doubles it. */
  firstWait?: number;
  /** The longest of these. */
  longestWait?: number;
  /** Milliseconds after which it is given up. */
  giveUpAfter?: number;
}

/** A server that was away is found again within `longestWait`, so this is well within ten seconds. */
export const DEFAULT_RECONNECT: Readonly<Required<ReconnectOptions>> = {
  firstWait: 250,
  longestWait: 3_000,
  giveUpAfter: 120_000,
};

/** The server drops a session after 30 s of silence, and the browser notices that only after some of them. */
export const RESTART_FOR = 22_000;

/** A part of each wait is left to chance, so that not all of a room come at once. */
const SPREAD = 0.3;

export type RecoveryWay = 'restart' | 'connect';

export interface RecoveryDeeds {
  /** Resolves when the session is alive on its old connection, without doing anything. */
  check(): Promise<void>;
  /** Resolves when media can flow again on the same connection. */
  restart(): Promise<void>;
  /** Resolves when a new connection is up. */
  connect(): Promise<void>;
}

export interface RecoveryCallbacks {
  started(): void;
  recovered(way: RecoveryWay): void;
  gaveUp(error: Atm0sError): void;
}

export class Recovery {
  private way: RecoveryWay = 'restart';
  private run = 0;
  private isRunning = false;
  private startedAt = 0;
  private wake: (() => void) | null = null;

  constructor(
    private readonly timers: Timers,
    private readonly random: () => number,
    private readonly deeds: RecoveryDeeds,
    private readonly told: RecoveryCallbacks,
    private readonly options: Required<ReconnectOptions> = DEFAULT_RECONNECT,
  ) {}

  get running(): boolean {
    return this.isRunning;
  }

  /**
   * Does nothing new when it runs already, but that 'connect' ends the restarts. `wait`: milliseconds before the
   * first try.
   */
  start(way: RecoveryWay, wait = 0): void {
    if (this.isRunning) {
      if (way === 'connect' && this.way === 'restart') {
        this.way = 'connect';
        this.nudge();
      }
      return;
    }
    this.isRunning = true;
    this.way = way;
    this.startedAt = this.timers.now();
    this.told.started();
    void this.loop(++this.run, wait);
  }

  /** Something has changed: try now. */
  nudge(): void {
    this.wake?.();
  }

  stop(): void {
    this.isRunning = false;
    ++this.run;
    this.wake?.();
  }

  private async loop(run: number, firstWait: number): Promise<void> {
    let wait = this.options.firstWait;
    if (firstWait) await this.sleep(firstWait);
    while (run === this.run) {
      const way = this.way;
      const failure = await this.attempt(way);
      if (run !== this.run) return;
      if (!failure) {
        this.isRunning = false;
        return this.told.recovered(way);
      }
      const took = this.timers.now() - this.startedAt;
      const isRefused = way === 'connect' && isFinal(failure);
      if (isRefused || took >= this.options.giveUpAfter) {
        this.isRunning = false;
        return this.told.gaveUp(
          isRefused
            ? failure
            : new ErrorOfOurs('CONNECTION_LOST', `not back after ${Math.round(took / 1000)} s`, { cause: failure }),
        );
      }
      if (this.goesOver(way, failure, took)) continue;
      await this.sleep(wait * (1 - SPREAD * this.random()));
      wait = Math.min(wait * 2, this.options.longestWait);
    }
  }

  /** From restarts to a new connection, without a wait. */
  private goesOver(way: RecoveryWay, failure: Atm0sError, took: number): boolean {
    if (way !== this.way) return true;
    if (way === 'connect') return false;
    // The server was not reached: it may be the network, and then the session waits for us.
    const isUnreached = failure.code === 'NETWORK_ERROR' || failure.code === 'TIMEOUT';
    if (isUnreached && took < RESTART_FOR) return false;
    this.way = 'connect';
    return true;
  }

  private async attempt(way: RecoveryWay): Promise<Atm0sError | null> {
    try {
      if (way === 'connect') {
        await this.deeds.connect();
      } else {
        const isAlive = await this.deeds.check().then(
          () => true,
          () => false,
        );
        if (!isAlive) await this.deeds.restart();
      }
      return null;
    } catch (error) {
      return asError(error);
    }
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.timers.after(ms, done);
      this.wake = done;
      const self = this;
      function done(): void {
        cancel();
        self.wake = null;
        resolve();
      }
    });
  }
}
