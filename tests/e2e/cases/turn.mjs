// A client whose firewall lets nothing through but TLS to one port 443: its media goes by TURN over TLS through coturn, set
// up as docs/guides/firewalls.md says, with credentials that the server or a backend has made.
import { openFarPage } from '../harness/far_page.mjs';
import { block } from '../harness/guide.mjs';
import { SERVER_ADDRESS } from '../harness/namespaces.mjs';
import { seesAndHears } from '../harness/peer.mjs';
import { RELAY_NAME, RELAY_SECRET, Relay } from '../harness/relay.mjs';
import { selectedPair } from '../harness/candidate_pairs.mjs';
import { assert, test } from '../harness/test.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const MEDIA_PORT = 20010; // the world's server has 20000

// The third host is the relay. The server of these tests tells of it when `tells`.
async function openRelay(env, tells) {
  const { network, hosts } = await env.openFarWorld();
  network.forward();
  const relay = await Relay.start(hosts[2]);
  env.contexts.push(relay);
  const flags = tells ? ['--ice-server', `turns:${RELAY_NAME}:443?transport=tcp`, '--turn-secret', RELAY_SECRET] : [];
  const server = await env.startServer({ address: SERVER_ADDRESS, through: network.front, mediaPort: MEDIA_PORT, flags });
  return { relay, server, hosts };
}

// TCP to port 443 of the relay, and to the server's HTTP port, which is 443 as well in a real network (see the guide). What
// else this host sends is counted; nothing comes in but answers to that.
function wall(host, relay, server) {
  host.filter(`table ip wall {
    counter blocked_udp { }
    chain out {
      type filter hook output priority 0; policy drop
      oifname "lo" accept
      ip daddr ${relay.host.own} tcp dport 443 accept
      ip daddr ${SERVER_ADDRESS} tcp dport ${new URL(server.url).port} accept
      meta l4proto udp counter name blocked_udp
    }
    chain in {
      type filter hook input priority 0; policy drop
      iifname "lo" accept
      ip saddr ${relay.host.own} tcp sport 443 accept
      ip saddr ${SERVER_ADDRESS} tcp sport ${new URL(server.url).port} accept
    }
  }
  table ip6 wall {
    chain out {
      type filter hook output priority 0; policy drop
      oifname "lo" accept
    }
  }`);
}

const blockedUdp = (host) => Number(host.run('nft', 'list', 'counter', 'ip', 'wall', 'blocked_udp').match(/packets (\d+)/)[1]);

// The candidates of the pair that a page's connection uses: [local type, its relay protocol, remote address].
async function wayOf(peer) {
  const { local, remote } = await selectedPair(peer.page, 'lab.connections[0]');
  return [local.candidateType, local.relayProtocol, remote.address];
}

// ann is behind the firewall, ben is not.
async function callThroughRelay(env, { relay, server, hosts }, before = '') {
  const browser = await relay.openBrowser(hosts[0]);
  env.contexts.push(browser);
  wall(hosts[0], relay, server);
  const peers = await Promise.all([[browser, 'ann'], [env.far.browsers[1], 'ben']].map(([at, name]) =>
    openFarPage(at, env.pagePath(), { room: env.room, name, server })));
  const [ann, ben] = env.keepFar(peers);
  await ann.page.evaluate(before);
  await Promise.all([ann.connect(BOTH), ben.connect(BOTH)]);
  await Promise.all([seesAndHears(ann, ben), seesAndHears(ben, ann)]);
  assert.deepEqual(await wayOf(ann), ['relay', 'tls', SERVER_ADDRESS]);
  assert.deepEqual(await wayOf(ben), ['host', undefined, SERVER_ADDRESS]);
  assert.ok(blockedUdp(hosts[0]) > 0, 'UDP was tried first');
}

test('all but TURN/TLS is blocked, and a call goes through coturn', { sdk: 'own', seconds: 60 }, async (env) => {
  await callThroughRelay(env, await openRelay(env, true));
});

test('the same with the npm SDK, whose page has its credentials from a backend', { sdk: 'npm', seconds: 60 }, async (env) => {
  const lines = await block('firewalls.md', 'js', 'createHmac');
  const { iceServersFor } = await import('data:text/javascript,' + encodeURIComponent(lines));
  const servers = JSON.stringify(iceServersFor('ann', RELAY_SECRET));
  const before = await block('firewalls.md', 'js', 'RTCPeerConnection');
  await callThroughRelay(env, await openRelay(env, false), `{ const iceServers = ${servers}; ${before} }`);
});

test("the guide's check: the relay is TLS alone, and relays to the server alone", { seconds: 60 }, async (env) => {
  const { relay, hosts: [, host] } = await openRelay(env, true);
  const said = await relay.check(host);
  assert.ok(said.includes('Verification: OK'), said.join('\n'));
  assert.deepEqual(said.slice(-4), ['connect time', 'Forbidden IP', 'Forbidden IP', '']);
  const sockets = relay.host.run('ss', '-Hlntu').trim().split('\n').map((line) => line.split(/\s+/));
  assert.deepEqual(new Set(sockets.map(([net, , , , at]) => `${net} ${at}`)), new Set([`tcp ${relay.host.own}:443`]));
});
