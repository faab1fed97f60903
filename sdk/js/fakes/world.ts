// A browser and media servers in memory: HTTP calls are answered, data channels open, requests are kept and answered.
import { inflateSync } from 'node:zlib';
import type { Platform } from '../src/platform.js';
import { FakeClock, settle } from './clock.js';
import { FakePeerConnection, FakeStream } from './peer_connection.js';

export interface HttpCall {
  url: string;
  method: string;
  path: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

export interface Sent {
  req_id: number;
  request: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  data: any;
}

/** An element that plays, or is not allowed to. */
export class FakeAudio {
  autoplay = false;
  srcObject: unknown = null;
  plays = 0;
  pause(): void {}
  async play(): Promise<void> {
    if (!FakeAudio.allowed) throw Object.assign(new Error('no gesture'), { name: 'NotAllowedError' });
    ++this.plays;
  }
  static allowed = true;
}

export class FakeWorld {
  readonly clock = new FakeClock();
  readonly page = new EventTarget();
  /** Of the page. */
  readonly listeners = new Set<EventListener>();
  readonly connections: FakePeerConnection[] = [];
  readonly calls: HttpCall[] = [];
  readonly requests: Sent[] = [];
  readonly audios: FakeAudio[] = [];
  /** Urls that answer. */
  readonly down = new Set<string>();
  readonly notReady = new Set<string>();
  /** What a path is refused with. */
  readonly refusals = new Map<string, string>();
  /** What a request is refused with; 'silent': no answer. */
  readonly rpcRefusals = new Map<string, string>();
  /** New connections come up by themselves. */
  comesUp = true;
  /** More fields of the connect answer. */
  more: Record<string, unknown> = {};
  codecs: Record<string, string[]> = { audio: [], video: [] };
  private conns = 0;

  readonly platform: Platform = {
    clock: this.clock,
    random: () => 0.5,
    fetch: (url, init) => this.fetch(url, init),
    createConnection: (config) => {
      const connection = new FakePeerConnection(config);
      this.connections.push(connection);
      return connection as unknown as RTCPeerConnection;
    },
    createStream: () => new FakeStream() as unknown as MediaStream,
    createAudio: () => {
      const audio = new FakeAudio();
      this.audios.push(audio);
      return audio as unknown as HTMLAudioElement;
    },
    codecs: (kind) => (this.codecs[kind] ?? []).map((mimeType) => ({ mimeType, clockRate: 90000 })),
    page: this.countingPage(),
  };

  get pc(): FakePeerConnection {
    return this.connections.at(-1) as FakePeerConnection;
  }

  called(path: string): HttpCall[] {
    return this.calls.filter((call) => call.path === path);
  }

  asked(request: string): Sent[] {
    return this.requests.filter((one) => one.request === request);
  }

  /** The server tells it on the newest connection. */
  async tell(event: string, data: unknown): Promise<void> {
    this.toClient({ type: 'event', event, data });
    await settle();
  }

  toClient(message: unknown): void {
    this.pc.channel?.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify(message) }));
  }

  /** ICE, DTLS and the channel of the newest connection. */
  async up(): Promise<void> {
    const { pc } = this;
    pc.become('connected');
    if (pc.channel) {
      pc.channel.readyState = 'open';
      pc.channel.dispatchEvent(new Event('open'));
    }
    await settle();
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    const at = new URL(url),
      method = init.method ?? 'GET';
    const body: unknown = init.body ? JSON.parse(String(init.body)) : undefined;
    this.calls.push({ url: at.origin, method, path: at.pathname, body });
    if (this.down.has(at.origin)) throw new TypeError('Failed to fetch');
    const refusal = this.refusals.get(at.pathname);
    if (refusal) return json({ status: false, data: { code: refusal, message: 'because' }, error: refusal });
    if (at.pathname === '/healthcheck') return json({ status: true, data: { ready: !this.notReady.has(at.origin) } });
    if (at.pathname === '/webrtc/connect' || at.pathname === '/webrtc/ice_restart') {
      this.pc.channel && (this.pc.channel.onSend = (data) => this.onSend(data));
      if (at.pathname === '/webrtc/connect' && this.comesUp) setImmediate(() => setImmediate(() => void this.up()));
      if (at.pathname === '/webrtc/connect') ++this.conns;
      return json({
        status: true,
        data: { node_id: 0, conn_id: `conn-${this.conns}`, sdp: answerTo(body), ...this.more },
      });
    }
    return json({ status: true, data: 'OK' });
  }

  private onSend(data: string | ArrayBuffer): void {
    const text = typeof data === 'string' ? data : inflateSync(Buffer.from(data)).toString();
    const message = JSON.parse(text) as Sent;
    this.requests.push(message);
    const refusal = this.rpcRefusals.get(message.request);
    if (refusal === 'silent') return;
    const answer = message.request === 'peer.updateSdp' ? { sdp: answerTo(message.data) } : true;
    setImmediate(() =>
      this.toClient(
        refusal
          ? {
              type: 'answer',
              req_id: message.req_id,
              success: false,
              data: { code: refusal, message: 'because' },
              error: refusal,
            }
          : { type: 'answer', req_id: message.req_id, success: true, data: answer },
      ),
    );
  }

  /** Keeps account of who listens to the page. */
  private countingPage(): EventTarget {
    const { page, listeners } = this;
    return {
      addEventListener: (type: string, listener: EventListener) => {
        listeners.add(listener);
        page.addEventListener(type, listener);
      },
      removeEventListener: (type: string, listener: EventListener) => {
        listeners.delete(listener);
        page.removeEventListener(type, listener);
      },
      dispatchEvent: (event: Event) => page.dispatchEvent(event),
    };
  }
}

const json = (body: unknown): Response =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });

/** Each receiver that was asked for gets its id. */
function answerTo(body: unknown): string {
  const { receivers } = (body ?? {}) as { receivers?: { audio: number; video: number } };
  const ids = (['audio', 'video'] as const).flatMap((kind) =>
    Array.from({ length: receivers?.[kind] ?? 0 }, (_, i) => `recv ${kind}_${i}`),
  );
  return ['a=ice-lite', ...ids, ''].join('\r\n');
}
