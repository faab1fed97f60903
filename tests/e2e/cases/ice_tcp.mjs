// A client behind a firewall that lets no UDP through: on a host of its own (harness/namespaces.mjs), with nftables
// dropping all of it, in and out. And what strangers do to the port that it needs.
import { spawnSync } from 'node:child_process';
import { throwConnections } from '../harness/attack.mjs';
import { openAttackedCall, rss } from '../harness/attacked_call.mjs';
import { startBrowser, findChromium } from '../harness/browser.mjs';
import { callOnPage, watchConnections } from '../harness/dev_page.mjs';
import { Network, SERVER_ADDRESS } from '../harness/namespaces.mjs';
import { pause } from '../harness/raw_peer.mjs';
import { selectedPair } from '../harness/candidate_pairs.mjs';
import { startServer } from '../harness/server.mjs';
import { assert, test, until } from '../harness/test.mjs';

const NO_UDP = `table inet firewall {
  chain out { type filter hook output priority 0; policy accept; oifname "up0" meta l4proto udp counter drop; }
  chain in { type filter hook input priority 0; policy accept; iifname "up0" meta l4proto udp counter drop; }
}`;

// Protocol and remote port of the pair in use, and what went over it.
async function wayOf(page) {
  const found = await selectedPair(page, 'window.connections.at(-1)');
  return found && { protocol: found.remote.protocol, local: found.local.protocol, port: found.remote.port,
    sent: found.pair.bytesSent, received: found.pair.bytesReceived };
}

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
      if (blocked.includes(name)) host.filter(NO_UDP);
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
    const ann = await wayOf(pages.Ann), ben = await wayOf(pages.Ben);
    console.log(`       Ann over ${ann.protocol} to port ${ann.port}: ${ann.sent} bytes sent, ${ann.received} received; Ben over ${ben.protocol}`);
    assert.equal(ann.protocol, 'tcp');
    assert.equal(ann.local, 'tcp');
    assert.ok(ann.sent > 10_000 && ann.received > 10_000, JSON.stringify(ann));
    // Where nothing is blocked TCP is offered as well, and not used.
    assert.equal(ben.protocol, 'udp');
    assert.match(hosts.Ann.run('nft', 'list', 'ruleset'), /udp counter packets [1-9]/);
  } catch (error) {
    console.log(server.log.slice(-40).join('\n'));
    throw error;
  } finally {
    await close();
  }
});

// The client's ports of its connections to that one.
const localPorts = (host, port) => [...host.run('ss', '-Htn', 'state', 'established', 'dport', '=', String(port))
  .matchAll(/:(\d+) +[\d.]+:\d+/g)].map((match) => Number(match[1]));

test('a connection that is reset is made anew, and the call goes on', { seconds: 60 }, async (env) => {
  const { pages, hosts, server, close } = await openWorld(env, ['Ann', 'Ben'], ['Ann']);
  try {
    await callOnPage([[pages.Ann, 'Ben'], [pages.Ben, 'Ann']]);
    const { port } = await wayOf(pages.Ann);
    const [before] = localPorts(hosts.Ann, port);
    spawnSync(hosts.Ann.front[0], [...hosts.Ann.front.slice(1), 'ss', '-K', 'dport', '=', String(port)]); // says that it knows no UDP
    const at = Date.now();
    await until('there is another connection', () => localPorts(hosts.Ann, port).some((one) => one !== before));
    const since = await wayOf(pages.Ann);
    await until('media flows both ways again', async () => {
      const pair = await wayOf(pages.Ann);
      return pair && pair.sent > since.sent + 20_000 && pair.received > since.received + 20_000;
    }, 15);
    console.log(`       media again ${Date.now() - at} ms after the reset`);
    assert.ok(!localPorts(hosts.Ann, port).includes(before), 'the first connection is gone');
    assert.equal(await pages.Ann.evaluate(() => window.connections.length), 1, 'without a new peer connection');
  } catch (error) {
    console.log(server.log.slice(-40).join('\n'));
    throw error;
  } finally {
    await close();
  }
});

const CAMERA = { name: 'video_main', width: 960, height: 540, fps: 15, encodings: [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 100_000 }, { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 300_000 },
  { rid: 'f', maxBitrate: 1_100_000 }] };
const TOP_WIDTH = 960;

// TCP loses nothing and waits instead: the server may hold back little for a connection, so that its estimator sees in
// time how narrow the way is. Over TCP it may come up again for moments, so that it settles is not asked.
test('a viewer over TCP capped to 500 kbit/s sees a picture that goes on, and the top layer again', { seconds: 120 }, async (env) => {
  const [anna, bela] = await env.openFar('anna', 'bela');
  bela.host.filter(NO_UDP);
  await anna.join({ senders: [CAMERA] });
  await bela.join({ receivers: 1, through: { from: SERVER_ADDRESS, to: SERVER_ADDRESS } }); // TCP does not pass the link's program
  await bela.firstFrame('video_0', await bela.view('video_0', 'anna', 'video_main'), TOP_WIDTH, 15);
  await pause(5000);
  const capped = Date.now();
  bela.host.cap(500);
  await pause(12_000);
  const lower = (await bela.frames('video_0', capped)).find(([, width]) => width < TOP_WIDTH);
  const lifted = Date.now();
  bela.host.cap();
  await pause(11_000);
  const back = await bela.settledAt('video_0', lifted, (width) => width === TOP_WIDTH);
  const gap = await bela.longestGap('video_0', capped);
  console.log(`       a lower layer after ${lower?.[0] - capped} ms, back on top in ${back} ms, longest gap ${gap} ms`);
  assert.ok(lower && lower[0] - capped <= 5000, 'a lower layer within 5 s');
  assert.ok(back !== null && back <= 10_000, 'back within 10 s');
  assert.ok(gap <= 5000, 'it froze');
});

const CONNECTIONS = 1000, FLOOD_SECONDS = 15;
const RSS_GROWTH_MAX = 20e6;

async function tcpEvents(server) {
  const text = await (await fetch(server.url + '/metrics')).text();
  const all = {};
  for (const [, name, value] of text.matchAll(/^atm0s_tcp_total\{event="(\w+)"[^}]*\} (\d+)/gm)) all[name] = (all[name] ?? 0) + Number(value);
  all.open = Number(text.match(/^atm0s_tcp_connections\S* (\d+)/m)[1]);
  return all;
}

test('a call goes on under a thousand hostile connections', { seconds: 90 }, async (env) => {
  const server = await env.startServer();
  const { ufrags, expectUnharmed } = await openAttackedCall(env, server);
  const rssBefore = await rss(server.child.pid);
  let most = 0, mostBytes = 0;
  const watch = setInterval(async () => {
    most = Math.max(most, (await tcpEvents(server)).open);
    mostBytes = Math.max(mostBytes, await rss(server.child.pid));
  }, 1000);
  const opened = await throwConnections({ address: '127.0.0.1', ports: server.mediaPorts, count: CONNECTIONS,
    seconds: FLOOD_SECONDS, ufrags });
  clearInterval(watch);

  await expectUnharmed(FLOOD_SECONDS);
  const events = await tcpEvents(server);
  console.log(`       ${opened} connections, ${most} at most at a time; the server grew by ${((mostBytes - rssBefore) / 1e6).toFixed(1)} MB; ` +
    JSON.stringify(events));
  assert.ok(opened > 2 * CONNECTIONS, `${opened} connections were opened`);
  for (const event of ['closed_for_others', 'closed_not_a_check', 'closed_bad_length']) assert.ok(events[event] > 0, event);
  assert.ok(mostBytes - rssBefore < RSS_GROWTH_MAX, `the server grew by ${mostBytes - rssBefore} bytes`);
});
