// One connection to one server, from the offer to its end: peer connection, data channel, HTTP calls. A session has
// one after the other. It does not try anything again; the session decides that.
import { Atm0sError, asError } from './errors.js';
import { TypedEventEmitter } from './events.js';
import type { MediaGatewayConnector } from './gateway.js';
import { getLogger } from './log.js';
import type { Platform } from './platform.js';
import type { ConnectAnswer, IConnectConfig, OfferMeta } from './protocol.js';
import { RPC } from './rpc.js';
import { isIceLite } from './sdp.js';
import { Timers } from './timers.js';

export interface ConnectionCallbacks {
  /** The data channel is open: the session is up. */
  open: () => void;
  /** ICE had to wait for answers, or gets them again. */
  path: (isUp: boolean) => void;
  /** It will not come back by itself: the channel is closed, or the connection failed for good. */
  lost: (error: Atm0sError) => void;
  peer_state: (state: RTCPeerConnectionState) => void;
  /** A track that the server announced under a receiver's id. */
  track: (id: string, track: MediaStreamTrack, receiver: RTCRtpReceiver) => void;
}

export class Connection extends TypedEventEmitter<ConnectionCallbacks> {
  readonly pc: RTCPeerConnection;
  readonly rpc: RPC;
  url = '';
  private readonly logger = getLogger('connection');
  private readonly timers: Timers;
  private readonly listening = new AbortController();
  private channel: RTCDataChannel | null = null;
  private answer: ConnectAnswer | null = null;
  private isOver = false;
  private last: Promise<unknown> = Promise.resolve();
  private tellsCandidates = true;

  constructor(
    platform: Platform,
    private readonly gateway: MediaGatewayConnector,
    private readonly config: RTCConfiguration,
  ) {
    super();
    this.timers = new Timers(platform.clock);
    this.rpc = new RPC(this.timers);
    this.pc = platform.createConnection(config);
    const { signal } = this.listening;
    this.pc.addEventListener('connectionstatechange', () => this.onState(), { signal });
    this.pc.addEventListener('track', (event) => this.onTrack(event), { signal });
    this.pc.addEventListener('icecandidate', (event) => this.onCandidate(event.candidate), { signal });
  }

  get isOpen(): boolean {
    return !this.isOver && this.channel?.readyState === 'open';
  }
  get isClosed(): boolean {
    return this.isOver;
  }

  /** Resolves with the answer applied, which is before anything is connected. May be called again with another url. */
  open(url: string, describe: (sdp: string) => IConnectConfig): Promise<void> {
    return this.exclusive(async () => {
      this.openChannel();
      const offer = await this.pc.createOffer();
      const answer = await this.gateway.connect(url, describe(offer.sdp ?? ''));
      this.url = url;
      this.answer = answer;
      if (this.isOver) {
        this.tellEnd();
        throw new Atm0sError('CLOSED');
      }
      // Only now: what the browser gathers is to know the servers that the answer brings.
      if (answer.ice_servers?.length) {
        this.pc.setConfiguration({
          ...this.config,
          iceServers: [...(this.config.iceServers ?? []), ...answer.ice_servers] as RTCIceServer[],
        });
      }
      await this.apply(offer, answer.sdp);
    });
  }

  /** Lines have come or gone. What the server refuses leaves everything as it was. */
  update(describe: (sdp: string) => OfferMeta): Promise<void> {
    return this.exclusive(async () => {
      const offer = await this.pc.createOffer();
      const { sdp } = await this.rpc.ask<{ sdp: string }>('peer.updateSdp', describe(offer.sdp ?? ''));
      await this.apply(offer, sdp);
    });
  }

  /** New ICE credentials. Resolves with the answer applied. */
  restartIce(): Promise<void> {
    return this.exclusive(async () => {
      if (!this.answer) throw new Atm0sError('CONNECTION_LOST', 'it was never connected');
      const offer = await this.pc.createOffer({ iceRestart: true });
      const answer = await this.gateway.restartIce(this.url, this.answer.node_id, this.answer.conn_id, offer.sdp ?? '');
      await this.apply(offer, answer.sdp);
    });
  }

  /** Ends it, and tells the server unless nothing was ever answered. Resolves when that is done, without fail. */
  close(error = new Atm0sError('CLOSED')): Promise<void> {
    if (this.isOver) return Promise.resolve();
    this.isOver = true;
    this.listening.abort();
    this.offAllListeners();
    this.rpc.close(error);
    this.timers.clear();
    this.channel?.close();
    this.channel = null;
    this.pc.close();
    return this.tellEnd();
  }

  private async tellEnd(): Promise<void> {
    if (this.answer) await this.gateway.close(this.url, this.answer.conn_id).catch(() => {});
  }

  private async apply(offer: RTCSessionDescriptionInit, sdp: string): Promise<void> {
    this.assertAlive();
    this.tellsCandidates = !isIceLite(sdp);
    try {
      await this.pc.setLocalDescription(offer);
      if (!this.isOver) await this.pc.setRemoteDescription({ type: 'answer', sdp });
    } catch (error) {
      throw asError(error, 'BAD_ANSWER');
    }
    this.assertAlive();
  }

  private assertAlive(): void {
    if (this.isOver) throw new Atm0sError('CLOSED');
  }

  /** Offers follow one another: never two at a time. */
  private exclusive<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.last.then(async () => {
      this.assertAlive();
      return run();
    });
    this.last = mine.catch(() => {});
    return mine.catch((error: unknown) => {
      throw asError(error, this.isOver ? 'CLOSED' : 'CONNECTION_LOST');
    });
  }

  private openChannel(): void {
    if (this.channel) return;
    const channel = this.pc.createDataChannel('data', { ordered: false, maxPacketLifeTime: 10_000 });
    const { signal } = this.listening;
    channel.binaryType = 'arraybuffer';
    this.channel = channel;
    this.rpc.attach(channel);
    channel.addEventListener('open', () => this.emit('open'), { signal });
    channel.addEventListener('message', (event: MessageEvent<string | ArrayBuffer>) => this.rpc.receive(event.data), {
      signal,
    });
    channel.addEventListener('close', () => this.onLost('the data channel was closed'), { signal });
  }

  private onState(): void {
    const state = this.pc.connectionState;
    this.logger.debug('connection', state);
    this.emit('peer_state', state);
    if (state === 'connected') this.emit('path', true);
    // 'failed' is no end: a restart of ICE brings it back, as long as DTLS goes on.
    else if (state === 'disconnected' || state === 'failed') this.emit('path', false);
    else if (state === 'closed') this.onLost('the connection was closed');
  }

  private onLost(why: string): void {
    if (!this.isOver) this.emit('lost', new Atm0sError('CONNECTION_LOST', why));
  }

  private onTrack({ track, streams, receiver }: RTCTrackEvent): void {
    const id = streams[0]?.id;
    if (id) this.emit('track', id, track, receiver);
  }

  private onCandidate(candidate: RTCIceCandidate | null): void {
    if (!candidate?.candidate || !this.answer || !this.tellsCandidates) return;
    void this.gateway
      .iceCandidate(this.url, this.answer.node_id, this.answer.conn_id, candidate)
      .catch((error: unknown) => this.logger.debug('a candidate was not taken', error));
  }
}
