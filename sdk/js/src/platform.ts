// All that the SDK takes from the browser, so that tests can give something else.
import type { StreamKinds } from './choices.js';
import type { Clock } from './timers.js';

export interface Platform {
  clock: Clock;
  /** 0 to 1, for the spread of waiting times. */
  random(): number;
  fetch(url: string, init: RequestInit): Promise<Response>;
  createConnection(config: RTCConfiguration): RTCPeerConnection;
  createStream(): MediaStream;
  /** An audio element of our own; nothing where there is no page. */
  createAudio(): HTMLAudioElement | undefined;
  /** What can be received, for setCodecPreferences. */
  codecs(kind: StreamKinds): RTCRtpCodec[];
  /** Where 'online' and a user's gestures are told. */
  page: EventTarget | undefined;
}

export function browserPlatform(): Platform {
  return {
    clock: {
      now: () => performance.now(),
      setTimeout: (run, ms) => setTimeout(run, ms),
      clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
    },
    random: () => Math.random(),
    fetch: (url, init) => fetch(url, init),
    createConnection: (config) => new RTCPeerConnection(config),
    createStream: () => new MediaStream(),
    createAudio: () => (typeof Audio === 'undefined' ? undefined : new Audio()),
    codecs: (kind) => RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? [],
    page: typeof window === 'undefined' ? undefined : window,
  };
}
