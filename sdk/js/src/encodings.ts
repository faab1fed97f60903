// How a sender's bitrate is laid out: its encodings when it is made, and after each `_limit` of the server.
import type { StreamKinds } from './choices.js';

export interface EncodingWishes {
  kind: StreamKinds;
  simulcast?: boolean | undefined;
  screen?: boolean | undefined;
  /** bit/s of the whole stream; 0 or nothing: no cap. */
  maxBitrate?: number | undefined;
}

/** What the server lets a stream send now. */
export interface StreamLimitNow {
  /** bit/s of the whole stream; 0: no limit. */
  maxBitrate: number;
  /** Which layers somebody wants, lowest first; empty while nobody views it. */
  layers: readonly number[];
}

/** Size of a layer against the whole picture, lowest first. */
const CAMERA_SCALES = [4, 2, 1];
/** Of a screen, small text must stay readable: fewer pictures, not fewer pixels. */
const SCREEN_SCALES = [2, 1];
const SCREEN_LOW_FPS = 5;

/** Each layer takes so many times what the one below takes: four times the pixels cost about three times the bits. */
const LAYER_RATIO = 3;

/** For addTransceiver. Ids of layers are their numbers, so that the first m-line lists the lowest first. */
export function makeEncodings({ kind, simulcast, screen, maxBitrate }: EncodingWishes): RTCRtpEncodingParameters[] {
  if (kind === 'audio' || !simulcast) return [maxBitrate ? { maxBitrate } : {}];
  const scales = screen ? SCREEN_SCALES : CAMERA_SCALES;
  const encodings = scales.map(
    (scale, i): RTCRtpEncodingParameters =>
      ({
        rid: String(i),
        scaleResolutionDownBy: scale,
        // Without a mode, Chromium makes one stream with spatial layers of several encodings of VP9 and AV1.
        scalabilityMode: 'L1T3',
        ...(screen && i === 0 ? { maxFramerate: SCREEN_LOW_FPS } : {}),
      }) as RTCRtpEncodingParameters,
  );
  return maxBitrate
    ? encodings.map((one, i) => ({ ...one, maxBitrate: share(maxBitrate, i, scales.length) }))
    : encodings;
}

/** The part of `total` that layer `i` of `count` gets. */
function share(total: number, i: number, count: number): number {
  const weights = Array.from({ length: count }, (_, k) => LAYER_RATIO ** k);
  return Math.round((total * (weights[i] ?? 0)) / weights.reduce((a, b) => a + b, 0));
}

/**
 * `encodings` of getParameters as they are to be now. Of several, those that nobody wants are off, but for the lowest:
 * it goes on at what the server allows an unwatched stream. Those that are on share the bitrate.
 */
export function limitEncodings(
  encodings: readonly RTCRtpEncodingParameters[],
  wishes: EncodingWishes,
  limit: StreamLimitNow | undefined,
): RTCRtpEncodingParameters[] {
  const cap = Math.min(wishes.maxBitrate || Infinity, limit?.maxBitrate || Infinity);
  const isOn = (i: number): boolean => i === 0 || !limit || limit.layers.includes(i);
  const on = encodings.map((_, i) => i).filter(isOn);
  return encodings.map((encoding, i) => {
    const { maxBitrate: _, ...rest } = encoding;
    const out: RTCRtpEncodingParameters = encodings.length > 1 ? { ...rest, active: isOn(i) } : { ...rest };
    if (cap === Infinity) return out;
    // A layer that is off keeps what it would have of the cap, for when it comes back.
    const place = on.indexOf(i);
    return { ...out, maxBitrate: place < 0 ? share(cap, i, encodings.length) : share(cap, place, on.length) };
  });
}
