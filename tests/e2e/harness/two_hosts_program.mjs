// Runs inside a fresh network namespace, which is the client's host; makes a second one behind a veth for the server,
// starts both, and has two tabs call each other over the page's https address. Started by cases/two_hosts.mjs.
import { execFileSync, spawn } from 'node:child_process';
import { startBrowser } from './browser.mjs';
import { callOnPage, watchConnections } from './dev_page.mjs';
import { startServer } from './server.mjs';

const CLIENT = '10.213.7.1', SERVER = '10.213.7.2';

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });

async function main() {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo there; exec sleep 120'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const cleanups = [() => holder.kill('SIGKILL')];
  try {
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const inside = ['nsenter', '--net', '--target', String(holder.pid)];
    ip('link', 'set', 'lo', 'up');
    ip('link', 'add', 'client', 'type', 'veth', 'peer', 'name', 'server');
    ip('link', 'set', 'server', 'netns', String(holder.pid));
    ip('address', 'add', CLIENT + '/24', 'dev', 'client');
    ip('link', 'set', 'client', 'up');
    ip('route', 'add', 'default', 'via', SERVER);
    for (const command of [['link', 'set', 'lo', 'up'], ['address', 'add', SERVER + '/24', 'dev', 'server'],
      ['link', 'set', 'server', 'up']]) {
      execFileSync(inside[0], [...inside.slice(1), 'ip', ...command], { stdio: 'inherit' });
    }
    const server = await startServer({ address: SERVER, through: inside });
    cleanups.push(() => server.stop());
    const browser = await startBrowser(['--ignore-certificate-errors']);
    cleanups.push(() => browser.close());
    await call(browser, server).catch((error) => {
      console.log(server.log.slice(-60).join('\n'));
      throw error;
    });
    console.log('the call works over ' + server.httpsUrl);
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

async function call(browser, server) {
  const pages = [];
  for (const peer of ['Ann', 'Ben']) {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'], ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await watchConnections(page);
    // Plain http first: there it must explain itself and link to the secure page, whose link is followed.
    await page.goto(`${server.url}/?` + new URLSearchParams({ room: 'far', peer, height: 180 }));
    await page.waitForSelector('#notice a');
    await page.click('#notice a');
    await page.waitForURL(server.httpsUrl + '/**');
    pages.push(page);
  }
  await callOnPage([[pages[0], 'Ben'], [pages[1], 'Ann']]).catch(async (error) => {
    for (const page of pages) console.log(JSON.stringify(await page.evaluate(stateOfPage)));
    throw error;
  });
}

const stateOfPage = () => ({
  text: document.body.innerText,
  connections: window.connections.map((c) => [c.connectionState, c.iceConnectionState, c.remoteDescription?.sdp]),
});

await main();
