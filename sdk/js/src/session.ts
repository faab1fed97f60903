// A session: one participant's stay in a room.
import type { StreamKinds } from './choices.js';
import type { ISessionConfig } from './config.js';
import { checkConfig, connectBody } from './config.js';
import { StreamConsumer } from './consumer.js';
import { StreamConsumerPair } from './consumer_pair.js';
import type { Atm0sError } from './errors.js';
import { Atm0sError as ErrorOfOurs } from './errors.js';
import { TypedEventEmitter } from './events.js';
import { MediaGatewayConnector } from './gateway.js';
import type { SessionHost } from './host.js';
import { takenSender, takenSession } from './ignored.js';
import { latencyConfiguration } from './latency.js';
import type { LinkState } from './link.js';
import { Link } from './link.js';
import { getLogger, setLogLevel } from './log.js';
import type { MixMinusElements } from './mix_minus.js';
import { ReceiverMixMinusAudio, SLOTS } from './mix_minus.js';
import type { Platform } from './platform.js';
import { browserPlatform } from './platform.js';
import type { OfferMeta } from './protocol.js';
import { StreamPublisher } from './publisher.js';
import type { IStreamReceiver, StreamReceiver } from './receiver.js';
import { ReceiverPool } from './receiver_pool.js';
import { DEFAULT_RECONNECT } from './recovery.js';
import { RemoteStreams, StreamRemote } from './remote.js';
import type { RPC } from './rpc.js';
import type { ISessionCallbacks } from './session_callbacks.js';
import type { IStreamSender, SenderConfig } from './sender.js';
import { StreamSender } from './sender.js';
import { findMsids } from './sdp.js';
import type { ClosingNotice } from './server_events.js';
import { ServerEvents } from './server_events.js';
import type { SessionStats } from './stats.js';
import { StatsDigest } from './stats.js';
import { Timers } from './timers.js';
import { TokenKeeper } from './token_keeper.js';

const PING_MS = 500;
/** After a new connection, what the others publish may still be coming: they may have lost the same server. */
const SWEEP_MS = 10_000;
/** Of a server that ends us without saying when to come back. */
const DEFAULT_RETRY_MS = 500;

export class Session extends TypedEventEmitter<ISessionCallbacks> {
  /** It has been connected at some time. */
  wasConnected = false;
  private readonly logger = getLogger('session');
  private readonly timers: Timers;
  private readonly pool: ReceiverPool;
  private readonly senders: StreamSender[] = [];
  private readonly remotes: RemoteStreams;
  private readonly mixers = new Map<string, ReceiverMixMinusAudio>();
  private readonly subscribed = new Set<string>();
  private readonly stopping = new Set<Promise<void>>();
  private readonly host: SessionHost;
  private readonly link: Link;
  private readonly cfg: ISessionConfig;
  private readonly stats = new StatsDigest();
  private readonly tokens: TokenKeeper;

  /** Use `createSession`. */
  constructor(
    urls: string | string[],
    config: ISessionConfig,
    private readonly platform: Platform = browserPlatform(),
  ) {
    super();
    checkConfig(config);
    const cfg = (this.cfg = takenSession(config));
    if (cfg.logLevel !== undefined) setLogLevel(cfg.logLevel);
    this.timers = new Timers(platform.clock);
    this.tokens = new TokenKeeper(cfg.token, cfg.renewToken, this.timers, {
      renewed: async (token) => void (await this.link.rpc?.ask('peer.token', { token })),
      failed: (error) => this.emit('error', error),
    });
    this.host = this.makeHost();
    this.pool = new ReceiverPool(this.host);
    this.remotes = new RemoteStreams((change, remote) =>
      this.emit(`${remote.peerId === cfg.peerId ? 'mystream' : 'stream'}_${change}`, remote),
    );
    if (cfg.mixMinusAudio) this.addMixer('default', cfg.mixMinusAudio.elements);
    for (const kind of ['audio', 'video'] as const) {
      for (let i = 0; i < (cfg.receivers?.[kind] ?? 0); ++i) this.pool.createFree(kind);
    }
    for (const sender of cfg.senders ?? []) this.addSender(sender);
    this.link = this.makeLink(typeof urls === 'string' ? [urls] : urls);
  }

  // ---- the connection -----------------------------------------------------------------------------------------------

  get state(): LinkState {
    return this.link.state;
  }
  get disconnected(): boolean {
    return this.link.state === 'disconnected';
  }

  /**
   * Resolves when a server has taken the session; wait for `connected` to know that media can flow. Rejects with an
   * Atm0sError when it is refused or not reached, and may be called again then.
   */
  connect(): Promise<void> {
    return this.link.connect();
  }

  /** Milliseconds to the server and back. No answer within half a second rejects, and begins a recovery. */
  ping(timeout = PING_MS): Promise<number> {
    return this.link.ping(timeout);
  }

  /** New ICE credentials, on the same connection. Seldom needed: the SDK does it when media stops to flow. */
  restartIce(): Promise<void> {
    return this.link.restartIce();
  }

  /**
   * Leaves the room. Nothing is left of the session: no connection, element, timer or listener, also none of yours.
   * The tracks that you gave stay as they are: they are yours. Resolves when the server knows.
   */
  async disconnect(): Promise<void> {
    if (this.disconnected) return;
    const told = this.link.close();
    this.emit('peer_state', 'closed');
    this.emit('dc_state', 'closed');
    this.clear();
    await told;
  }

  /** Another token from now on, told to the server in a call. Rejects when the server refuses it. */
  async setToken(token: string): Promise<void> {
    this.tokens.set(token);
    if (this.link.rpc) await this.link.rpc.ask('peer.token', { token });
  }

  // ---- publishing ---------------------------------------------------------------------------------------------------

  createPublisher(cfg: SenderConfig): StreamPublisher {
    return new StreamPublisher(this.createSender(cfg));
  }

  createSender(cfg: SenderConfig): StreamSender {
    this.assertLives();
    const sender = this.addSender(cfg);
    sender.attach(this.link.connection.pc);
    this.link.renegotiate();
    return sender;
  }

  getSender(kind: StreamKinds, name: string): IStreamSender | undefined {
    return this.senders.find((sender) => sender.kind === kind && sender.name === name);
  }

  // ---- viewing ------------------------------------------------------------------------------------------------------

  /** The streams of the room that are known now, own ones too. */
  get streams(): StreamRemote[] {
    return this.remotes.list();
  }

  createConsumer(remote: StreamRemote): StreamConsumer {
    return new StreamConsumer(this, remote);
  }

  /** A peer's audio and video by name; they need not be there yet. */
  createConsumerPair(peerId: string, audioName: string, videoName: string): StreamConsumerPair {
    const consumer = (kind: StreamKinds, name: string) =>
      this.createConsumer(this.remotes.find(peerId, name) ?? new StreamRemote(kind, peerId, '', name));
    return new StreamConsumerPair(
      consumer('video', videoName),
      consumer('audio', audioName),
      this.platform.createStream(),
    );
  }

  /** A receiver in addition to those that there are. */
  createReceiver(kind: StreamKinds): StreamReceiver {
    this.assertLives();
    const receiver = this.pool.create(kind);
    receiver.attach(this.link.connection.pc);
    this.link.renegotiate();
    return receiver;
  }

  /** A receiver that nobody uses, made if there is none. */
  takeReceiver(kind: StreamKinds): StreamReceiver {
    return this.pool.takeFree(kind) ?? this.createReceiver(kind);
  }

  /** Gives it back: it shows nothing, and whoever listens to it does not any more. */
  backReceiver(receiver: IStreamReceiver): void {
    const ours = this.pool.find(receiver.remoteId);
    if (ours !== receiver || this.disconnected) return;
    if (ours.source) void ours.disconnect();
    this.pool.giveBack(ours);
  }

  /** In `subScope: 'manual'`: tells of that peer's streams from now on. */
  async subscribePeer(peerId: string): Promise<void> {
    this.subscribed.add(peerId);
    await this.link.rpc?.ask('room.subscribe', { peer: peerId });
  }

  async unsubscribePeer(peerId: string): Promise<void> {
    this.subscribed.delete(peerId);
    await this.link.rpc?.ask('room.unsubscribe', { peer: peerId });
  }

  // ---- mixing -------------------------------------------------------------------------------------------------------

  /** That of `mixMinusAudio`, or one made by `createMixMinusAudio`. */
  getMixMinusAudio(id = 'default'): ReceiverMixMinusAudio | undefined {
    return this.mixers.get(id);
  }

  /** One more mixer, of the sources that are added to it. */
  createMixMinusAudio(id: string, elements?: MixMinusElements): ReceiverMixMinusAudio {
    this.assertLives();
    if (this.mixers.has(id)) throw new ErrorOfOurs('INVALID_USE', `there is a mixer ${id}`);
    const mixer = this.addMixer(id, elements);
    for (const receiver of mixer.receivers) receiver.attach(this.link.connection.pc);
    this.link.renegotiate();
    return mixer;
  }

  // ---- statistics ---------------------------------------------------------------------------------------------------

  /** A digest, with rates since the call before. */
  async getStats(): Promise<SessionStats> {
    const reports = await this.link.connection.pc.getStats();
    return this.stats.digest(
      reports.values(),
      {
        senders: this.senders.map(({ name, kind, mid }) => ({ name, kind, mid })),
        receivers: this.pool.list().map(({ remoteId, kind, mid, source }) => ({ id: remoteId, kind, mid, source })),
      },
      Date.now(),
    );
  }

  /** The browser's own object, for what this SDK does not do. Another one after a reconnection. */
  get peerConnection(): RTCPeerConnection {
    return this.link.connection.pc;
  }

  // ---- parts --------------------------------------------------------------------------------------------------------

  private makeHost(): SessionHost {
    const self = this;
    return {
      platform: this.platform,
      codecs: this.cfg.codecs,
      latencyMode: this.cfg.latencyMode,
      get rpc() {
        return self.link.rpc;
      },
      opened: () => self.link.opened(),
      renegotiate: () => self.link.renegotiate(),
      failed: (error) => self.emit('error', error),
    };
  }

  private makeLink(urls: string[]): Link {
    if (!urls.length) throw new ErrorOfOurs('INVALID_USE', 'no url of a server');
    const { reconnect, iceServers, latencyMode } = this.cfg;
    const events = new ServerEvents({
      remotes: this.remotes,
      sender: (name) => this.senders.find((one) => one.name === name),
      receiver: (id) => this.pool.find(id),
      mixer: (id) => this.mixers.get(id),
      room: (stats) => this.emit('room_stats', stats),
      peer: (change, peer) => this.emit(`peer_${change}`, peer),
      closing: (notice) => this.onClosing(notice),
    });
    const rtcConfig: RTCConfiguration = { ...latencyConfiguration(latencyMode), bundlePolicy: 'max-bundle' };
    if (iceServers?.length) rtcConfig.iceServers = iceServers as RTCIceServer[];
    return new Link(
      urls,
      this.platform,
      new MediaGatewayConnector(this.platform),
      this.timers,
      rtcConfig,
      {
        attach: (pc) => this.attach(pc),
        describe: (sdp) => this.describe(sdp),
        connectBody: (meta) => connectBody(this.cfg, this.tokens.token, meta),
        settled: () => Promise.all(this.stopping),
        opened: (rpc, isFirst) => this.onOpened(rpc, isFirst),
        event: (name, data) => events.take(name, data),
        track: (id, track, receiver) => this.pool.find(id)?.bind(track, receiver),
        peerState: (state) => this.emit('peer_state', state),
        dcState: (state) => this.emit('dc_state', state),
        reconnecting: () => this.emit('reconnecting'),
        reconnected: () => this.emit('reconnected'),
        refused: (error) => this.onRefused(error),
        renewToken: () => this.tokens.renew(),
        ended: (error) => this.onEnded(error.code),
      },
      reconnect === false ? false : { ...DEFAULT_RECONNECT, ...reconnect },
    );
  }

  private addSender(cfg: SenderConfig): StreamSender {
    if (this.senders.some((sender) => sender.name === cfg.name)) {
      throw new ErrorOfOurs('INVALID_USE', `there is a sender ${cfg.name}: stop it first`);
    }
    const sender = new StreamSender(this.host, takenSender(cfg), (stopped, done) =>
      this.onSenderStopped(stopped, done),
    );
    this.senders.push(sender);
    return sender;
  }

  private addMixer(id: string, elements?: MixMinusElements): ReceiverMixMinusAudio {
    const receivers = Array.from({ length: SLOTS }, () => this.pool.create('audio'));
    const mixer = new ReceiverMixMinusAudio(id, this.host, receivers, elements);
    this.mixers.set(id, mixer);
    // In its own turn: the link may not be there yet.
    queueMicrotask(() => void (this.disconnected || mixer.connect()));
    return mixer;
  }

  private attach(pc: RTCPeerConnection): void {
    for (const sender of this.senders) sender.attach(pc);
    for (const receiver of this.pool.list()) receiver.attach(pc);
  }

  private describe(sdp: string): OfferMeta {
    const msids = findMsids(sdp);
    const senders = this.senders.filter((sender) => sender.isIn(msids)).map((sender) => sender.describe(msids));
    return { sdp, senders, receivers: this.pool.counts() };
  }

  private onOpened(rpc: RPC, isFirst: boolean): void {
    this.wasConnected = true;
    for (const peer of this.subscribed) void rpc.request('room.subscribe', { peer }).catch(() => {});
    for (const mixer of this.mixers.values()) mixer.resync(rpc);
    for (const receiver of this.pool.list()) receiver.resync(rpc);
    for (const sender of this.senders) sender.sync();
    this.tokens.schedule();
    if (isFirst) return this.emit('connected');
    this.remotes.markStale();
    this.timers.after(SWEEP_MS, () => this.remotes.sweep());
  }

  private onSenderStopped(sender: StreamSender, done: Promise<void>): void {
    this.senders.splice(this.senders.indexOf(sender), 1);
    this.stopping.add(done);
    void done.then(() => this.stopping.delete(done));
    this.link.renegotiate();
  }

  private onRefused(error: Atm0sError): boolean {
    this.logger.warn('the server refused what was added:', error.toString());
    const refused = this.senders.filter((sender) => sender.isNew());
    for (const sender of refused) {
      this.senders.splice(this.senders.indexOf(sender), 1);
      sender.end();
    }
    this.emit('error', error);
    return refused.length > 0;
  }

  private onClosing(notice: ClosingNotice): void {
    this.emit('closing', notice);
    const mayComeBack =
      ['shutdown', 'drain'].includes(notice.reason) || (notice.reason === 'token_expired' && !!this.cfg.renewToken);
    if (mayComeBack && this.cfg.reconnect !== false) return this.link.moveOn(notice.retryMs ?? DEFAULT_RETRY_MS);
    void this.link.close();
    this.onEnded(notice.reason);
  }

  private onEnded(reason: string): void {
    this.emit('peer_state', 'closed');
    this.emit('dc_state', 'closed');
    this.emit('disconnected', reason);
    this.clear();
  }

  private clear(): void {
    this.tokens.end();
    for (const mixer of this.mixers.values()) mixer.end();
    // After the connection: Chromium suspends a camera that is taken off its last sender, also for other tabs that
    // open it.
    this.endSenders();
    for (const receiver of this.pool.list()) receiver.end();
    this.remotes.clear();
    this.offAllListeners();
  }

  private endSenders(): void {
    for (const sender of this.senders.splice(0)) {
      sender.end();
      sender.offAllListeners();
    }
  }

  private assertLives(): void {
    if (this.disconnected) throw new ErrorOfOurs('CLOSED', 'the session is over');
  }
}
