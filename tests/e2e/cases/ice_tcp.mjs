// A client behind a firewall that lets no UDP through: on a host of its own (harness/namespaces.mjs), with nftables
// dropping all of it, in and out.
import { spawnSync } from 'node:child_process';
import { startBrowser, findChromium } from '../harness/browser.mjs';
import { callOnPage, watchConnections } from '../harness/dev_page.mjs';
import { Network, SERVER_ADDRESS } from '../harness/namespaces.mjs';
import { startServer } from '../harness/server.mjs';
import { assert, test } from '../harness/test.mjs';

const NO_UDP = `table inet firewall {
  chain out { type filter hook output priority 0; policy accept; oifname "up0" meta l4proto udp counter drop; }
  chain in { type filter hook input priority 0; policy accept; iifname "up0" meta l4proto udp counter drop; }
}`;

function nft(host, args, input) {
  const [program, ...rest] = [...host.front, 'nft', ...args];
  const { status, error, stderr, stdout } = spawnSync(program, rest, { encoding: 'utf8', input,
    env: { ...process.env, PATH: process.env.PATH + ':/usr/sbin:/sbin' } });
  if (status !== 0) throw new Error(`nft ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

// In the page: protocol and remote address of the pair in use, and what went over it.
const selectedPair = async () => {
  const reports = await window.connections.at(-1).getStats();
  const transport = [...reports.values()].find((report) => report.type === 'transport');
  const pair = reports.get(transport?.selectedCandidatePairId);
  if (!pair) return null;
  const remote = reports.get(pair.remoteCandidateId);
  return { protocol: remote.protocol, local: reports.get(pair.localCandidateId).protocol, port: remote.port,
    sent: pair.bytesSent, received: pair.bytesReceived };
};

// The server on its host, and each of the names on another, with a page; `blocked` of them behind that firewall.
async function openWorld(env, names, blocked, flags = []) {
  const network = await Network.open([]);
  const world = { network, browsers: [], pages: {}, hosts: {} };
  world.close = async () => {
    await Promise.all(world.browsers.map((browser) => browser.close().catch(() => {})));
    await world.server?.stop();
    await network.close();
  };
  try {
    world.server = await startServer({ address: SERVER_ADDRESS, through: network.front, flags });
    for (const name of names) {
      const host = await network.addHost();
      world.hosts[name] = host;
      if (blocked.includes(name)) nft(host, ['-f', '-'], NO_UDP);
      const browser = await startBrowser(['--ignore-certificate-errors'], await host.wrap(findChromium()));
      world.browsers.push(browser);
      const context = await browser.newContext({ permissions: ['camera', 'microphone'], ignoreHTTPSErrors: true });
      const page = world.pages[name] = await context.newPage();
      await watchConnections(page);
      await page.goto(`${world.server.httpsUrl}/?` + new URLSearchParams({ room: env.room, peer: name, height: 180 }));
    }
    return world;
  } catch (error) {
    await world.close();
    throw error;
  }
}

test('firewall: UDP is blocked, and a call goes over ICE-TCP', { core: true, seconds: 60 }, async (env) => {
  const { pages, hosts, server, close } = await openWorld(env, ['Ann', 'Ben'], ['Ann']);
  try {
    await callOnPage([[pages.Ann, 'Ben'], [pages.Ben, 'Ann']]);
    const ann = await pages.Ann.evaluate(selectedPair), ben = await pages.Ben.evaluate(selectedPair);
    console.log(`       Ann over ${ann.protocol} to port ${ann.port}: ${ann.sent} bytes sent, ${ann.received} received; Ben over ${ben.protocol}`);
    assert.equal(ann.protocol, 'tcp');
    assert.equal(ann.local, 'tcp');
    assert.ok(ann.sent > 10_000 && ann.received > 10_000, JSON.stringify(ann));
    // Where nothing is blocked TCP is offered as well, and not used.
    assert.equal(ben.protocol, 'udp');
    assert.match(nft(hosts.Ann, ['list', 'ruleset']), /udp counter packets [1-9]/);
  } catch (error) {
    console.log(server.log.slice(-40).join('\n'));
    throw error;
  } finally {
    await close();
  }
});
