import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatsDigest } from './stats.js';

const LINES = {
  senders: [{ name: 'cam', kind: 'video', mid: '0' }],
  receivers: [
    { id: 'video_0', kind: 'video', mid: '1', source: { peer: 'bob', stream: 'video_main' } },
    { id: 'audio_0', kind: 'audio', mid: '2' },
  ],
} as const;
type Lines = Parameters<StatsDigest['digest']>[1];
const lines = LINES as unknown as Lines;

const outbound = (rid: string, height: number, bytesSent: number, timestamp: number) => ({
  id: 'O' + rid,
  type: 'outbound-rtp',
  timestamp,
  kind: 'video',
  mid: '0',
  rid,
  bytesSent,
  frameHeight: height,
  frameWidth: height * 2,
  framesPerSecond: 30,
  codecId: 'C',
  remoteId: 'R',
  qualityLimitationReason: rid === '2' ? 'bandwidth' : 'none',
});

const at = (seconds: number, sent: number, received: number, lost: number) => [
  { id: 'T', type: 'transport', timestamp: seconds * 1000, selectedCandidatePairId: 'P' },
  {
    id: 'P',
    type: 'candidate-pair',
    timestamp: seconds * 1000,
    currentRoundTripTime: 0.042,
    availableOutgoingBitrate: 2_000_000,
    localCandidateId: 'L',
  },
  { id: 'L', type: 'local-candidate', timestamp: 0, protocol: 'udp', candidateType: 'srflx' },
  { id: 'C', type: 'codec', timestamp: 0, mimeType: 'video/VP8' },
  { id: 'R', type: 'remote-inbound-rtp', timestamp: seconds * 1000, fractionLost: 0.0512, roundTripTime: 0.05 },
  outbound('0', 180, sent, seconds * 1000),
  outbound('2', 720, sent * 3, seconds * 1000),
  {
    id: 'I',
    type: 'inbound-rtp',
    timestamp: seconds * 1000,
    mid: '1',
    kind: 'video',
    bytesReceived: received,
    packetsReceived: received / 100,
    packetsLost: lost,
    jitter: 0.004,
    codecId: 'C',
    frameWidth: 640,
    frameHeight: 360,
    framesPerSecond: 25,
    totalFreezesDuration: seconds / 10,
    jitterBufferDelay: received / 1000,
    jitterBufferEmittedCount: received / 20,
  },
];

test('a digest has rates since the one before', () => {
  const digest = new StatsDigest();
  const first = digest.digest(at(1, 1000, 10_000, 0), lines, 0);
  assert.equal(first.sendBitrate, 0, 'nothing is known of before');
  const stats = digest.digest(at(3, 26_000, 60_000, 20), lines, 7);
  assert.equal(stats.at, 7);
  assert.equal(stats.path, 'udp srflx');
  assert.equal(stats.rtt, 42);
  assert.equal(stats.availableSendBitrate, 2_000_000);
  const [cam] = stats.senders,
    [video, audio] = stats.receivers;
  assert.deepEqual(
    cam?.layers.map((layer) => [layer.rid, layer.bitrate, layer.height]),
    [
      ['2', 300_000, 720],
      ['0', 100_000, 180],
    ],
  );
  assert.deepEqual(
    [cam?.bitrate, cam?.codec, cam?.lossPercent, cam?.rtt, cam?.limitedBy],
    [400_000, 'VP8', 5.1, 50, 'bandwidth'],
  );
  assert.deepEqual(
    [video?.bitrate, video?.lossPercent, video?.jitter, video?.delay, video?.width, video?.fps],
    [200_000, 3.8, 4, 20, 640, 25],
  );
  assert.ok(Math.abs((video?.frozen ?? 0) - 0.2) < 1e-9);
  assert.deepEqual(video?.source, { peer: 'bob', stream: 'video_main' });
  assert.deepEqual(audio, { id: 'audio_0', kind: 'audio', bitrate: 0, lossPercent: 0 });
  assert.equal(stats.receiveBitrate, 200_000);
});

test('counters that begin anew, and statistics that are not there, are no nonsense', () => {
  const digest = new StatsDigest();
  digest.digest(at(1, 50_000, 50_000, 9), lines, 0);
  const stats = digest.digest(at(2, 1_000, 1_000, 0), lines, 0);
  assert.equal(stats.senders[0]?.layers[1]?.bitrate, 8_000);
  assert.equal(stats.receivers[0]?.lossPercent, 0);
  assert.deepEqual(digest.digest([], { senders: [{ name: 'cam', kind: 'video', mid: null }], receivers: [] }, 0), {
    at: 0,
    sendBitrate: 0,
    receiveBitrate: 0,
    senders: [{ name: 'cam', kind: 'video', bitrate: 0, lossPercent: 0, layers: [] }],
    receivers: [],
  });
});
