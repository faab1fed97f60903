// For tests of the tests: a test build takes no notice of properties that the page names in `atm0sIgnored`. A browser
// test of a property has to fail then. In the product all of this is left out.
import type { ISessionConfig } from './config.js';
import type { SenderConfig } from './sender.js';

/** Set by build.mjs; not there in Node.js. */
declare const ATM0S_TEST_BUILD: boolean | undefined;

const isTestBuild = typeof ATM0S_TEST_BUILD !== 'undefined' && ATM0S_TEST_BUILD;

export function takenSession(cfg: ISessionConfig): ISessionConfig {
  if (!isTestBuild) return cfg;
  const taken = without(cfg);
  if (taken.mixMinusAudio) taken.mixMinusAudio = without(taken.mixMinusAudio);
  return taken;
}

export function takenSender(cfg: SenderConfig): SenderConfig {
  return isTestBuild ? without(cfg) : cfg;
}

function without<T extends object>(cfg: T): T {
  const ignored = (globalThis as { atm0sIgnored?: string[] }).atm0sIgnored ?? [];
  return Object.fromEntries(Object.entries(cfg).filter(([name]) => !ignored.includes(name))) as T;
}
