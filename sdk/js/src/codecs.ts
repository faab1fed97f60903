// Which codecs an m-line offers, in which order.
import type { Codecs, StreamKinds } from './choices.js';

const NAMES: Record<Codecs, string> = {
  OPUS: 'audio/opus',
  VP8: 'video/vp8',
  VP9: 'video/vp9',
  H264: 'video/h264',
  AV1: 'video/av1',
};

/** Not codecs by themselves: retransmission, redundancy and the like. They go with whatever is left. */
const HELPERS = /^(audio|video)\/(rtx|red|ulpfec|flexfec-03|cn|telephone-event)$/i;

export interface CodecWishes {
  /** Of the sender: these first, the others behind. */
  preferred?: readonly Codecs[] | undefined;
  /** Of the session: these alone, in this order. */
  allowed?: readonly Codecs[] | undefined;
}

/**
 * For setCodecPreferences; nothing when there is nothing to wish for, or when a wish names no codec of that kind that
 * this browser has: the server then says what it thinks of it.
 */
export function orderCodecs(
  kind: StreamKinds,
  all: readonly RTCRtpCodec[],
  wishes: CodecWishes,
): RTCRtpCodec[] | undefined {
  const rank = (list: readonly Codecs[] | undefined, codec: RTCRtpCodec): number => {
    const at = (list ?? []).findIndex((name) => NAMES[name] === codec.mimeType.toLowerCase());
    return at < 0 ? Infinity : at;
  };
  const ofKind = (list: readonly Codecs[] | undefined) =>
    (list ?? []).filter((name) => NAMES[name]?.startsWith(kind + '/'));
  if (!ofKind(wishes.preferred).length && !ofKind(wishes.allowed).length) return undefined;

  let media = all.filter((codec) => !HELPERS.test(codec.mimeType));
  if (wishes.allowed?.length) media = media.filter((codec) => rank(wishes.allowed, codec) < Infinity);
  if (!media.length) return undefined;
  const compare = (a: number, b: number) => (a === b ? 0 : a - b);
  media.sort(
    (a, b) =>
      compare(rank(wishes.preferred, a), rank(wishes.preferred, b)) ||
      compare(rank(wishes.allowed, a), rank(wishes.allowed, b)),
  );
  return [...media, ...all.filter((codec) => HELPERS.test(codec.mimeType))];
}
