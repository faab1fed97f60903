// The HTTP calls of a media server: bodies out, the `data` of the envelope or an Atm0sError back.
import { Atm0sError, asError } from './errors.js';
import type { Platform } from './platform.js';
import { browserPlatform } from './platform.js';
import type { ConnectAnswer, IConnectConfig } from './protocol.js';
import { isObject } from './protocol.js';

/** With the longest wait between two tries still under ten seconds. */
const CALL_MS = 6_000;
const HEALTH_MS = 3_000;
/** A page that is being left waits for nothing. */
const CLOSE_MS = 2_000;

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

export class MediaGatewayConnector {
  constructor(private readonly platform: Pick<Platform, 'fetch' | 'clock'> = browserPlatform()) {}

  async connect(url: string, config: IConnectConfig): Promise<ConnectAnswer> {
    return readAnswer(await this.call('POST', url, '/webrtc/connect', config));
  }

  async restartIce(url: string, nodeId: number, connId: string, sdp: string): Promise<ConnectAnswer> {
    return readAnswer(await this.call('POST', url, '/webrtc/ice_restart', { node_id: nodeId, conn_id: connId, sdp }));
  }

  async iceCandidate(url: string, nodeId: number, connId: string, ice: RTCIceCandidate): Promise<void> {
    await this.call('POST', url, '/webrtc/ice_remote', {
      node_id: nodeId,
      conn_id: connId,
      candidate: ice.candidate,
      sdp_mid: ice.sdpMid,
      sdp_mline_index: ice.sdpMLineIndex,
      username_fragment: ice.usernameFragment,
    });
  }

  /** Also from a page that is being left: the browser finishes the call without it. */
  async close(url: string, connId: string): Promise<void> {
    await this.call('DELETE', url, '/webrtc/conn/' + encodeURIComponent(connId), undefined, CLOSE_MS);
  }

  async isReady(url: string): Promise<boolean> {
    const path = '/healthcheck?ts=' + Date.now();
    const data = await this.call('GET', url, path, undefined, HEALTH_MS).catch(() => null);
    return isObject(data) && data['ready'] === true;
  }

  /** Of one url itself, unasked; of several those that are ready, in their order. */
  async selectReady(urls: readonly string[]): Promise<string[]> {
    if (urls.length === 1) return [...urls];
    const ready = await Promise.all(urls.map((url) => this.isReady(url)));
    const found = urls.filter((_, i) => ready[i]);
    if (!found.length) throw new Atm0sError('NO_SERVER', `none of ${urls.join(', ')} is ready`);
    return found;
  }

  private async call(method: string, url: string, path: string, body?: unknown, ms = CALL_MS): Promise<unknown> {
    const { clock } = this.platform;
    const stop = new AbortController();
    const timer = clock.setTimeout(() => stop.abort(), ms);
    try {
      const response = await this.platform.fetch(withoutSlash(url) + path, {
        method,
        signal: stop.signal,
        keepalive: method === 'DELETE',
        ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
      });
      return readEnvelope(await response.json().catch(() => null), response.status);
    } catch (error) {
      if (stop.signal.aborted) throw new Atm0sError('TIMEOUT', `${method} ${path} was not answered in ${ms} ms`);
      throw asError(error, 'NETWORK_ERROR');
    } finally {
      clock.clearTimeout(timer);
    }
  }
}

/** {"status": bool, "data": …, "error"?: string} */
export function readEnvelope(envelope: unknown, httpStatus: number): unknown {
  if (!isObject(envelope) || typeof envelope['status'] !== 'boolean') {
    throw new Atm0sError('BAD_ANSWER', `no envelope in the answer of HTTP status ${httpStatus}`);
  }
  if (envelope['status']) return envelope['data'];
  const data = envelope['data'];
  const detail = isObject(data) && typeof data['message'] === 'string' ? data['message'] : '';
  throw new Atm0sError(typeof envelope['error'] === 'string' ? envelope['error'] : 'SERVER_ERROR', detail);
}

function readAnswer(data: unknown): ConnectAnswer {
  if (!isObject(data) || typeof data['sdp'] !== 'string') throw new Atm0sError('BAD_ANSWER', 'no SDP in the answer');
  const answer: ConnectAnswer = {
    node_id: Number(data['node_id'] ?? 0),
    conn_id: String(data['conn_id'] ?? ''),
    sdp: data['sdp'],
  };
  if (Array.isArray(data['ice_servers']))
    answer.ice_servers = data['ice_servers'] as NonNullable<ConnectAnswer['ice_servers']>;
  return answer;
}
