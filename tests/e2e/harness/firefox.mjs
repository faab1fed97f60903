// Debian's Firefox, driven by puppeteer-core over WebDriver BiDi (playwright drives only a Firefox that it patched).
import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';

const PROGRAMS = [process.env.ATM0S_FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'];

const PREFERENCES = {
  // a moving picture and a tone instead of devices, and nobody to ask
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // without a sound card an AudioContext would never run
  'media.cubeb.force_mock_context': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  // OpenH264 would be fetched from the network: H264 is not tested here
  'media.gmp-manager.updateEnabled': false,
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
};

export async function startFirefox() {
  const executablePath = PROGRAMS.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error('there is no Firefox: apt-get install firefox-esr, or set ATM0S_FIREFOX');
  return puppeteer.launch({ browser: 'firefox', executablePath, headless: true, extraPrefsFirefox: PREFERENCES });
}
