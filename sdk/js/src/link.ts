// The session's way to its servers: one connection after the other, kept alive. It decides when to restart ICE, when
// to connect anew, to which url, and when to give up; what goes over it is its hooks' business.
import { RealtimeSocketState } from './choices.js';
import { Connection } from './connection.js';
import type { Atm0sError } from './errors.js';
import { Atm0sError as ErrorOfOurs, asError, isFinal } from './errors.js';
import type { MediaGatewayConnector } from './gateway.js';
import { getLogger } from './log.js';
import type { Platform } from './platform.js';
import type { IConnectConfig, OfferMeta } from './protocol.js';
import { oneOf } from './protocol.js';
import type { ReconnectOptions, RecoveryWay } from './recovery.js';
import { Recovery } from './recovery.js';
import type { RPC } from './rpc.js';
import type { Timers } from './timers.js';

/** ICE and DTLS have 10 s of the server, then the data channel has 10 s. */
const FIRST_OPEN_MS = 20_000;
/** Of a new connection in a recovery: the next try may do better. */
const AGAIN_OPEN_MS = 10_000;
const RESTART_MS = 5_000;
const CHECK_MS = 1_000;
/** ICE that waits for answers may get them without help. */
const GRACE_MS = 500;
/** Lines that come together go into one offer. */
const GATHER_MS = 20;

export type LinkState = 'created' | 'connecting' | 'connected' | 'reconnecting' | 'disconnected';

export interface LinkHooks {
  /** A new connection: all lines anew, before its offer. */
  attach(pc: RTCPeerConnection): void;
  /** What goes with an offer. */
  describe(sdp: string): OfferMeta;
  connectBody(meta: OfferMeta): IConnectConfig;
  /** What must be over before lines are offered anew. */
  settled(): Promise<unknown>;
  /** The data channel is open; `isFirst` is false after a new connection. */
  opened(rpc: RPC, isFirst: boolean): void;
  event(name: string, data: unknown): void;
  track(id: string, track: MediaStreamTrack, receiver: RTCRtpReceiver): void;
  peerState(state: RealtimeSocketState): void;
  dcState(state: RealtimeSocketState): void;
  reconnecting(): void;
  reconnected(): void;
  /** The server refused lines. Returns whether there is something else to offer. */
  refused(error: Atm0sError): boolean;
  /** A new token, if there is a way to one. */
  renewToken(): Promise<boolean>;
  /** It is over, and not by `close`. */
  ended(error: Atm0sError): void;
}

export class Link {
  state: LinkState = 'created';
  connection: Connection;
  private readonly logger = getLogger('link');
  private readonly recovery: Recovery;
  private urls: string[];
  private wasOpen = false;
  private isDirty = false;
  private isUpdating = false;
  private wakeOpen: ((error?: Atm0sError) => void)[] = [];

  constructor(
    urls: readonly string[],
    private readonly platform: Platform,
    private readonly gateway: MediaGatewayConnector,
    private readonly timers: Timers,
    private readonly rtcConfig: RTCConfiguration,
    private readonly hooks: LinkHooks,
    private readonly reconnect: Required<ReconnectOptions> | false,
  ) {
    this.urls = [...urls];
    this.recovery = new Recovery(
      timers,
      () => platform.random(),
      {
        check: () => this.check(),
        restart: () => this.restart(),
        connect: () => this.connectAgain(),
      },
      {
        started: () => this.onRecoveryStarted(),
        recovered: (way) => this.onRecovered(way),
        gaveUp: (error) => this.end(error),
      },
      reconnect || undefined,
    );
    this.connection = this.makeConnection();
    platform.page?.addEventListener('online', this.onOnline);
  }

  get rpc(): RPC | null {
    return this.connection.isOpen ? this.connection.rpc : null;
  }

  /** Resolves once the channel is open and `hooks.opened` was called; rejects when it is over. */
  opened(): Promise<void> {
    if (this.state === 'disconnected') return Promise.reject(new ErrorOfOurs('CLOSED'));
    if (this.connection.isOpen) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.wakeOpen.push((error) => (error ? reject(error) : resolve()));
    });
  }

  /** Resolves when a server has answered. */
  async connect(): Promise<void> {
    if (this.state !== 'created') throw new ErrorOfOurs('INVALID_USE', `connect in state ${this.state}`);
    this.state = 'connecting';
    try {
      await this.openSome(this.connection);
    } catch (error) {
      if (this.state === 'connecting') this.state = 'created';
      throw error;
    }
    this.timers.after(FIRST_OPEN_MS, () => {
      if (!this.wasOpen) this.onLost(new ErrorOfOurs('CONNECTION_LOST', 'the connection did not come up'));
    });
  }

  /** Lines were added or stopped. */
  renegotiate(): void {
    this.isDirty = true;
    if (this.isUpdating || !this.connection.isOpen) return;
    this.isUpdating = true;
    this.timers.after(GATHER_MS, () => void this.update());
  }

  async restartIce(): Promise<void> {
    if (!this.connection.isOpen) throw new ErrorOfOurs('CONNECTION_LOST', `restartIce in state ${this.state}`);
    if (this.recovery.running) return this.recovery.nudge();
    this.onRecoveryStarted();
    try {
      await this.restart();
    } catch (error) {
      this.onLost(asError(error));
      throw error;
    }
    this.onRecovered('restart');
  }

  /** Milliseconds. No answer in time begins a recovery. */
  async ping(timeout: number): Promise<number> {
    const started = this.timers.now();
    try {
      await this.connection.rpc.request('peer.ping', null, timeout);
    } catch (error) {
      if (this.state === 'connected') this.recover('restart');
      throw error;
    }
    return Math.max(0, Math.round(this.timers.now() - started));
  }

  /** The server ends this connection, and says that another try is worth it, here after `wait` or elsewhere now. */
  moveOn(wait: number): void {
    const here = this.connection.url;
    const others = this.urls.filter((url) => url !== here);
    if (others.length) this.urls = [...others, here];
    this.recover('connect', others.length ? 0 : wait);
  }

  /** Over, with no word to the hooks. Resolves when the server knows. */
  close(error = new ErrorOfOurs('CLOSED')): Promise<void> {
    if (this.state === 'disconnected') return Promise.resolve();
    this.state = 'disconnected';
    this.recovery.stop();
    this.timers.clear();
    this.platform.page?.removeEventListener('online', this.onOnline);
    this.wake(error);
    return this.connection.close(error);
  }

  private end(error: Atm0sError): void {
    if (this.state === 'disconnected') return;
    void this.close(error);
    this.hooks.ended(error);
  }

  // ---- connections --------------------------------------------------------------------------------------------------

  private makeConnection(): Connection {
    const connection = new Connection(this.platform, this.gateway, this.rtcConfig);
    connection.rpc.onEvent = (name, data) => this.hooks.event(name, data);
    connection.on('open', () => this.onOpen(connection));
    connection.on('lost', (error) => this.onLost(error));
    connection.on('path', (isUp) => this.onPath(isUp));
    connection.on('track', (id, track, receiver) => this.hooks.track(id, track, receiver));
    connection.on('peer_state', (state) => this.onPeerState(state));
    this.hooks.attach(connection.pc);
    return connection;
  }

  /** The first server that takes us. */
  private async openSome(connection: Connection): Promise<void> {
    const ready = await this.gateway.selectReady(this.urls);
    for (const [i, url] of ready.entries()) {
      this.isDirty = false;
      try {
        return await connection.open(url, (sdp) => this.hooks.connectBody(this.hooks.describe(sdp)));
      } catch (error) {
        if (i === ready.length - 1 || isFinal(asError(error))) throw error;
        this.logger.warn(`${url} did not take us:`, error);
      }
    }
  }

  private async connectAgain(): Promise<void> {
    void this.connection.close(new ErrorOfOurs('CONNECTION_LOST', 'it is made anew'));
    const connection = (this.connection = this.makeConnection());
    try {
      await this.openSome(connection).catch(async (error: unknown) => {
        if (asError(error).code !== 'INVALID_TOKEN' || !(await this.hooks.renewToken())) throw error;
        await this.openSome(connection);
      });
      await this.timers.within(
        AGAIN_OPEN_MS,
        this.untilOpen(connection),
        () => new ErrorOfOurs('TIMEOUT', 'the new connection did not come up'),
      );
    } catch (error) {
      void connection.close(asError(error));
      throw error;
    }
  }

  private untilOpen(connection: Connection): Promise<void> {
    if (connection.isOpen) return Promise.resolve();
    return new Promise((resolve, reject) => {
      connection.on('open', resolve);
      connection.on('lost', reject);
    });
  }

  private onOpen(connection: Connection): void {
    if (connection !== this.connection) return;
    const isFirst = !this.wasOpen;
    this.wasOpen = true;
    if (this.state === 'connecting') this.state = 'connected';
    this.hooks.dcState('connected');
    this.hooks.opened(connection.rpc, isFirst);
    this.wake();
    if (this.isDirty) this.renegotiate();
  }

  private wake(error?: Atm0sError): void {
    const waiting = this.wakeOpen;
    this.wakeOpen = [];
    for (const one of waiting) one(error);
  }

  private async update(): Promise<void> {
    const { connection } = this;
    while (this.isDirty && connection.isOpen) {
      await this.hooks.settled();
      this.isDirty = false;
      try {
        await connection.update((sdp) => this.hooks.describe(sdp));
      } catch (error) {
        // What is lost with the connection is offered with the next one.
        if (!connection.isOpen) break;
        this.onUpdateFailed(asError(error));
      }
    }
    this.isUpdating = false;
    if (this.isDirty) this.renegotiate();
  }

  private onUpdateFailed(error: Atm0sError): void {
    if (error.code === 'TIMEOUT') {
      this.isDirty = true;
      this.recover('restart');
    } else if (error.code === 'BAD_ANSWER') {
      this.recover('connect'); // the offer stands half-way, and no other can follow it
    } else if (this.hooks.refused(error)) {
      this.isDirty = true;
    }
  }

  // ---- trouble ------------------------------------------------------------------------------------------------------

  private onPath(isUp: boolean): void {
    if (isUp) this.recovery.nudge();
    else if (this.wasOpen) this.recover('restart', GRACE_MS);
    else if (this.connection.pc.connectionState === 'failed')
      this.onLost(new ErrorOfOurs('CONNECTION_LOST', 'ICE or DTLS failed'));
  }

  private onLost(error: Atm0sError): void {
    this.logger.info('lost:', error.detail);
    if (this.reconnect) this.recover('connect');
    else this.end(error);
  }

  private recover(way: RecoveryWay, wait = 0): void {
    if (this.state === 'disconnected') return;
    if (!this.reconnect) return void (way === 'connect' && this.end(new ErrorOfOurs('CONNECTION_LOST')));
    this.recovery.start(way, wait);
  }

  private async check(): Promise<void> {
    if (this.connection.pc.connectionState !== 'connected') throw new ErrorOfOurs('CONNECTION_LOST');
    await this.connection.rpc.request('peer.ping', null, CHECK_MS);
  }

  private async restart(): Promise<void> {
    const { connection } = this;
    await connection.restartIce();
    // A ping that is lost, for whatever reason, is no verdict.
    for (let left = RESTART_MS / CHECK_MS; ; --left) {
      try {
        await connection.rpc.request('peer.ping', null, CHECK_MS);
        return;
      } catch (error) {
        if (left <= 1 || asError(error).code !== 'TIMEOUT') throw error;
      }
    }
  }

  private onRecoveryStarted(): void {
    this.state = 'reconnecting';
    this.hooks.peerState('reconnecting');
    this.hooks.reconnecting();
  }

  private onRecovered(way: RecoveryWay): void {
    this.logger.info(way === 'connect' ? 'connected anew' : 'back on the same connection');
    this.state = 'connected';
    this.hooks.peerState('reconnected');
    this.hooks.reconnected();
  }

  private onPeerState(state: RTCPeerConnectionState): void {
    if (this.state === 'reconnecting') return; // that is told as one thing
    this.hooks.peerState(oneOf(RealtimeSocketState, state) ?? 'created');
  }

  private readonly onOnline = (): void => {
    if (this.recovery.running) this.recovery.nudge();
    else if (this.connection.isOpen) void this.ping(CHECK_MS).catch(() => {});
  };
}
