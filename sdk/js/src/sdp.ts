// The little that has to be read out of SDP.

export interface Msid {
  streamId: string;
  trackId: string;
}

/** a=msid of every m-line that has one (RFC 8830 2), by its stream id. */
export function findMsids(sdp: string): Map<string, Msid> {
  const found = new Map<string, Msid>();
  for (const [, streamId, trackId] of sdp.matchAll(/^a=msid:(\S+) (\S+)\s*$/gm)) {
    if (streamId && trackId) found.set(streamId, { streamId, trackId });
  }
  return found;
}

/** The other side finds our addresses by our checks, and needs none told (RFC 8445 2.5). */
export const isIceLite = (sdp: string): boolean => /^a=ice-lite\s*$/m.test(sdp);

/** The ICE user name of the first m-line: another one is a restart. */
export const iceUfrag = (sdp: string): string | undefined => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
