// Debian's Chromium, driven by playwright-core.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PROGRAMS = [process.env.ATM0S_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'];

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream=fps=30',
  '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required', '--allow-loopback-in-peer-connection',
  '--disable-dev-shm-usage'];

export function findChromium() {
  const program = PROGRAMS.find((path) => path && existsSync(path));
  if (!program) throw new Error('there is no Chromium: apt-get install chromium, or set ATM0S_CHROMIUM');
  return program;
}

// `executablePath`: a program that starts it elsewhere, such as in a network namespace. `env`: variables beside ours.
export async function startBrowser(flags = [], executablePath = findChromium(), env = {}) {
  return chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...flags], env: { ...process.env, ...env } });
}
