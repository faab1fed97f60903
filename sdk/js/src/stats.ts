// A digest of the browser's statistics: what a page wants to show or to log, as rates since the digest before.
import type { StreamKinds } from './choices.js';
import type { StreamName } from './protocol.js';

export interface LayerStats {
  /** '' when there is one layer. */
  rid: string;
  /** bit/s since the digest before. */
  bitrate: number;
  fps?: number;
  width?: number;
  height?: number;
}

export interface SenderStats {
  name: string;
  kind: StreamKinds;
  /** bit/s of all layers. */
  bitrate: number;
  codec?: string;
  /** As the other side reports it. */
  lossPercent: number;
  /** Milliseconds. */
  rtt?: number;
  /** Why the browser sends less than it could: `bandwidth`, `cpu`. */
  limitedBy?: string;
  /** Highest first. */
  layers: LayerStats[];
}

export interface ReceiverStats {
  id: string;
  kind: StreamKinds;
  source?: StreamName;
  bitrate: number;
  codec?: string;
  lossPercent: number;
  /** Milliseconds. */
  jitter?: number;
  /** Milliseconds for which media was held back before it was played, on average since the digest before. */
  delay?: number;
  fps?: number;
  width?: number;
  height?: number;
  /** Seconds of frozen picture since the digest before. */
  frozen?: number;
  /** Percent of the sound that had to be made up since the digest before. */
  concealedPercent?: number;
}

export interface SessionStats {
  /** Milliseconds since 1970. */
  at: number;
  /** Milliseconds to the server and back. */
  rtt?: number;
  sendBitrate: number;
  receiveBitrate: number;
  /** What the browser believes that it may send, bit/s. */
  availableSendBitrate?: number;
  /** How the server is reached: `udp host`, `tcp relay`. */
  path?: string;
  senders: SenderStats[];
  receivers: ReceiverStats[];
}

/** Whose statistics are which: lines by their mid. */
export interface StatsLines {
  senders: { name: string; kind: StreamKinds; mid: string | null }[];
  receivers: { id: string; kind: StreamKinds; mid: string | null; source?: StreamName | undefined }[];
}

type Report = Record<string, unknown> & { id: string; type: string; timestamp: number };

const number = (report: Report | undefined, field: string): number => {
  const value = report?.[field];
  return typeof value === 'number' ? value : 0;
};

/** Only fields that have a value. */
function known<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const has = (report: Report | undefined, field: string): number | undefined =>
  typeof report?.[field] === 'number' ? (report[field] as number) : undefined;

export class StatsDigest {
  private before = new Map<string, Report>();

  digest(reports: Iterable<unknown>, lines: StatsLines, at: number): SessionStats {
    const now = new Map<string, Report>();
    for (const report of reports as Iterable<Report>) now.set(report.id, report);
    const all = [...now.values()];
    const pair = findPair(all, now);
    const senders = lines.senders.map((line) => this.sender(line, all, now));
    const receivers = lines.receivers.map((line) => this.receiver(line, all, now));
    const stats: SessionStats = {
      at,
      sendBitrate: senders.reduce((sum, one) => sum + one.bitrate, 0),
      receiveBitrate: receivers.reduce((sum, one) => sum + one.bitrate, 0),
      senders,
      receivers,
      ...known<Pick<SessionStats, 'rtt' | 'availableSendBitrate' | 'path'>>({
        rtt: milliseconds(has(pair, 'currentRoundTripTime')),
        availableSendBitrate: has(pair, 'availableOutgoingBitrate'),
        path: describePath(pair, now),
      }),
    };
    this.before = now;
    return stats;
  }

  private sender(line: StatsLines['senders'][number], all: Report[], now: Map<string, Report>): SenderStats {
    const ours = all.filter((one) => one.type === 'outbound-rtp' && line.mid !== null && one['mid'] === line.mid);
    ours.sort((a, b) => number(b, 'frameHeight') - number(a, 'frameHeight'));
    const remote = ours.map((one) => now.get(String(one['remoteId']))).find((one) => one);
    const layers = ours.map((one): LayerStats => ({
      rid: typeof one['rid'] === 'string' ? one['rid'] : '',
      bitrate: this.rate(one, 'bytesSent') * 8,
      ...picture(one),
    }));
    const limit = ours
      .map((one) => one['qualityLimitationReason'])
      .find((why) => typeof why === 'string' && why !== 'none');
    return {
      name: line.name,
      kind: line.kind,
      bitrate: layers.reduce((sum, layer) => sum + layer.bitrate, 0),
      lossPercent: Math.round(number(remote, 'fractionLost') * 1000) / 10,
      layers,
      ...known<Pick<SenderStats, 'codec' | 'rtt' | 'limitedBy'>>({
        codec: codecOf(ours[0], now),
        rtt: milliseconds(has(remote, 'roundTripTime')),
        limitedBy: limit as string | undefined,
      }),
    };
  }

  private receiver(line: StatsLines['receivers'][number], all: Report[], now: Map<string, Report>): ReceiverStats {
    const one = all.find((report) => report.type === 'inbound-rtp' && line.mid !== null && report['mid'] === line.mid);
    const grown = (field: string): number => this.grown(one, field);
    const lost = Math.max(0, grown('packetsLost')),
      came = grown('packetsReceived');
    const emitted = grown('jitterBufferEmittedCount'),
      samples = grown('totalSamplesReceived');
    return {
      id: line.id,
      kind: line.kind,
      bitrate: one ? this.rate(one, 'bytesReceived') * 8 : 0,
      lossPercent: came + lost ? Math.round((lost / (came + lost)) * 1000) / 10 : 0,
      ...known<ReceiverStats>({
        source: line.source,
        codec: codecOf(one, now),
        jitter: milliseconds(has(one, 'jitter')),
        delay: emitted > 0 ? Math.round((grown('jitterBufferDelay') / emitted) * 1000) : undefined,
        frozen: one && line.kind === 'video' ? grown('totalFreezesDuration') : undefined,
        concealedPercent: samples > 0 ? Math.round((grown('concealedSamples') / samples) * 1000) / 10 : undefined,
      } as { [K in keyof ReceiverStats]: ReceiverStats[K] | undefined }),
      ...picture(one),
    };
  }

  /**
   * By how much a counter has grown. A counter that is new counts from nothing, one that began anew from nothing,
   * too.
   */
  private grown(report: Report | undefined, field: string): number {
    const value = number(report, field),
      before = number(report && this.before.get(report.id), field);
    return value < before && field !== 'packetsLost' ? value : value - before;
  }

  /** Per second; nothing in the first digest. */
  private rate(report: Report, field: string): number {
    const before = this.before.get(report.id);
    const seconds = before ? (report.timestamp - before.timestamp) / 1000 : 0;
    return seconds > 0 ? Math.round(this.grown(report, field) / seconds) : 0;
  }
}

const milliseconds = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Math.round(seconds * 1000);

const picture = (report: Report | undefined): Pick<LayerStats, 'fps' | 'width' | 'height'> =>
  known<Pick<LayerStats, 'fps' | 'width' | 'height'>>({
    fps: has(report, 'framesPerSecond'),
    width: has(report, 'frameWidth'),
    height: has(report, 'frameHeight'),
  });

function codecOf(report: Report | undefined, now: Map<string, Report>): string | undefined {
  const mimeType = now.get(String(report?.['codecId']))?.['mimeType'];
  return typeof mimeType === 'string' ? mimeType.replace(/^\w+\//, '') : undefined;
}

function findPair(all: Report[], now: Map<string, Report>): Report | undefined {
  const transport = all.find((one) => one.type === 'transport' && one['selectedCandidatePairId']);
  if (transport) return now.get(String(transport['selectedCandidatePairId']));
  return all.find((one) => one.type === 'candidate-pair' && one['nominated'] === true && one['state'] === 'succeeded');
}

function describePath(pair: Report | undefined, now: Map<string, Report>): string | undefined {
  const local = now.get(String(pair?.['localCandidateId']));
  return local ? `${String(local['relayProtocol'] ?? local['protocol'])} ${String(local['candidateType'])}` : undefined;
}
