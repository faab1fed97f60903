// Latency modes: how long the browser holds media back before it plays it.
import type { LatencyMode } from './choices.js';

interface Latency {
  /** Milliseconds; null leaves it to the browser. */
  delay: number | null;
  /** Packets of the audio jitter buffer, where the browser lets them be set. */
  audioPackets?: number;
}

const MODES: Record<LatencyMode, Latency> = {
  'ultra-low': { delay: 0, audioPackets: 10 },
  default: { delay: null },
  'smooth-200': { delay: 200, audioPackets: 20 },
  'smooth-500': { delay: 500, audioPackets: 25 },
  'smooth-800': { delay: 800, audioPackets: 40 },
  'smooth-1000': { delay: 1000, audioPackets: 50 },
  'smooth-2000': { delay: 2000, audioPackets: 100 },
};

const find = (mode: LatencyMode | undefined): Latency => MODES[mode ?? 'default'] ?? MODES.default;

/** Chromium's own field; other browsers ignore it. */
export function latencyConfiguration(mode: LatencyMode | undefined): RTCConfiguration {
  const { audioPackets } = find(mode);
  return (audioPackets ? { rtcAudioJitterBufferMaxPackets: audioPackets } : {}) as RTCConfiguration;
}

interface DelayedReceiver {
  /** Milliseconds, of WebRTC Extensions. */
  jitterBufferTarget?: number | null;
  /** Seconds, what Chromium had before. */
  playoutDelayHint?: number | null;
}

export function applyLatency(receiver: RTCRtpReceiver | DelayedReceiver, mode: LatencyMode | undefined): void {
  const { delay } = find(mode);
  const target = receiver as DelayedReceiver;
  if ('jitterBufferTarget' in target) target.jitterBufferTarget = delay;
  else if ('playoutDelayHint' in target) target.playoutDelayHint = delay === null ? null : delay / 1000;
}
