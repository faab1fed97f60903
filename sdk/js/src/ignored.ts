// For tests of the tests: a test build takes no notice of what the page names in `atm0sIgnored`: a property
// (`codecs`), or one value of it (`codecs=VP9`). The browser tests of it have to fail then, and no others
// (tests/e2e/harness/matrix.mjs). In the product all of this is left out.
import type { ISessionConfig } from './config.js';
import type { StreamLimit } from './receiver.js';
import type { SenderConfig } from './sender.js';

/** Set by build.mjs; not there in Node.js. */
declare const ATM0S_TEST_BUILD: boolean | undefined;

const isTestBuild = typeof ATM0S_TEST_BUILD !== 'undefined' && ATM0S_TEST_BUILD;

interface Switches {
  /** Properties and values. */
  atm0sIgnored?: string[];
  /** A token that is good for anything, in place of one that is ignored. */
  atm0sToken?: string;
}
const switches = globalThis as Switches;

type Config = Record<string, unknown>;

/**
 * What is taken in place of a property that is ignored, where a session cannot do without it, and in place of a value
 * that says the same as none. Everything else is not there.
 */
const INSTEAD: Record<string, (cfg: Config) => unknown> = {
  roomId: () => 'ignored',
  peerId: () => `ignored-${crypto.randomUUID()}`,
  token: () => switches.atm0sToken,
  name: () => `ignored-${crypto.randomUUID()}`,
  kind: (cfg) => otherKind(cfg),
  'kind=audio': (cfg) => otherKind(cfg),
  'kind=video': (cfg) => otherKind(cfg),
  'latencyMode=default': () => 'smooth-500',
  'bitrateControlMode=SumBitrateWithClientSide': () => 'SumBitrateOnly',
  'mode=AllAudioStreams': () => 'ManualAudioStreams',
  'mode=ManualAudioStreams': () => 'AllAudioStreams',
  'subScope=full': () => 'stream_only',
  'pubScope=full': () => 'stream_only',
};

/** Of a stream that has both kinds, the wrong one. */
function otherKind(cfg: Config): unknown {
  const tracks = (cfg['stream'] as MediaStream | undefined)?.getTracks() ?? [];
  return tracks.find((track) => track.kind !== cfg['kind'])?.kind ?? cfg['kind'];
}

export function takenSession(cfg: ISessionConfig): ISessionConfig {
  if (!isTestBuild) return cfg;
  const taken = without(cfg);
  if (taken.mixMinusAudio) taken.mixMinusAudio = without(taken.mixMinusAudio);
  return taken;
}

export function takenSender(cfg: SenderConfig): SenderConfig {
  return isTestBuild ? without(cfg) : cfg;
}

export function takenLimit(limit: StreamLimit): StreamLimit {
  return isTestBuild ? without(limit, 'limit.') : limit;
}

function without<T extends object>(cfg: T, prefix = ''): T {
  const ignored = switches.atm0sIgnored ?? [];
  const out: Config = {};
  for (const [property, value] of Object.entries(cfg)) {
    const name = prefix + property;
    const isValueIgnored = (one: unknown): boolean => ignored.includes(`${name}=${String(one)}`);
    if (Array.isArray(value) && value.some(isValueIgnored)) {
      out[property] = value.filter((one) => !isValueIgnored(one));
    } else if (ignored.includes(name) || isValueIgnored(value)) {
      const instead = INSTEAD[ignored.includes(name) ? name : `${name}=${String(value)}`];
      if (instead) out[property] = instead(cfg as Config);
    } else {
      out[property] = value;
    }
  }
  return out as T;
}
