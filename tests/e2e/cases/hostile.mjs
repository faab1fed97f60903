// A call goes on while strangers throw at its server what they can: on its UDP ports and over HTTP.
import { readFile } from 'node:fs/promises';
import { throwDatagrams, throwHttp } from '../harness/attack.mjs';
import { seesAndHears } from '../harness/peer.mjs';
import { assert, test } from '../harness/test.mjs';
import { SECRET, makeToken } from '../harness/tokens.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const STREAMS = ['audio_main', 'video_main'];
const DATAGRAMS = 60_000, REQUESTS = 500;
const RSS_GROWTH_MAX = 10e6;
const LOST_MAX = 0.005; // of the call's packets; this machine encodes and decodes four streams meanwhile

const rss = async (pid) =>
  1024 * Number((await readFile(`/proc/${pid}/status`, 'utf8')).match(/^VmRSS:\s+(\d+) kB$/m)[1]);

// Datagrams that the server has read and dropped, by whichever reason.
async function dropped(server) {
  const text = await (await fetch(server.url + '/metrics')).text();
  return [...text.matchAll(/^atm0s_dropped_total\{[^}]*\} (\d+)/gm)].reduce((sum, match) => sum + Number(match[1]), 0);
}

const received = async (peer, other) => Object.fromEntries(await Promise.all(STREAMS.map(async (stream) =>
  [stream, await peer.lab('inbound', `${other.name}/${stream}`)])));

function secretsOf(peers, replies) {
  const secrets = [SECRET, ...peers.map((peer) => peer.token)];
  for (const { data } of replies) secrets.push(data.conn_id, data.sdp.match(/^a=ice-pwd:(.*)$/m)[1].trim());
  return secrets;
}

test('a call goes on under malformed datagrams and requests, and no secret is logged', { seconds: 120 }, async (env) => {
  const server = await env.startServer({ flags: ['--log-level', 'debug'] });
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => env.join(name, BOTH, { server })));
  await Promise.all([seesAndHears(alice, bob), seesAndHears(bob, alice)]);
  const replies = [...await alice.replies('/webrtc/connect'), ...await bob.replies('/webrtc/connect')];
  const strangers = [makeToken({ room: 'elsewhere' }), makeToken({ room: 'r' }, { secret: 'another-secret-that-signs-tokens-0123' })];

  const before = { rss: await rss(server.child.pid), alice: await received(alice, bob), bob: await received(bob, alice) };
  const started = Date.now();
  const [sent] = await Promise.all([
    throwDatagrams({ address: '127.0.0.1', ports: server.mediaPorts, count: DATAGRAMS,
      ufrags: replies.map(({ data }) => data.sdp.match(/^a=ice-ufrag:(.*)$/m)[1].trim()),
      ssrcs: [before.alice, before.bob].flatMap((all) => STREAMS.map((stream) => all[stream].ssrc)) }),
    throwHttp({ url: server.url, count: REQUESTS, secrets: strangers }),
  ]);
  const seconds = (Date.now() - started) / 1000;
  assert.ok(sent > DATAGRAMS * 0.99, `${sent} datagrams were sent`);

  for (const [peer, other] of [[alice, bob], [bob, alice]]) {
    await peer.flows(...STREAMS.map((stream) => `${other.name}/${stream}`));
    const now = await received(peer, other), then = before[peer.name];
    const frames = now.video_main.framesDecoded - then.video_main.framesDecoded;
    assert.ok(frames > seconds * 10, `${peer.name} decoded ${frames} frames in ${seconds} s`);
    for (const stream of STREAMS) {
      const lost = now[stream].packetsLost - then[stream].packetsLost;
      const came = now[stream].packetsReceived - then[stream].packetsReceived;
      assert.ok(lost <= LOST_MAX * came, `${peer.name} lost ${lost} of ${came} packets of ${stream}`);
      console.log(`       ${peer.name} ${stream}: ${came} packets, ${lost} lost`);
    }
    assert.ok(!await peer.lab('sawEvent', 'reconnecting') && !await peer.lab('sawEvent', 'disconnected'));
  }
  const refused = await dropped(server);
  assert.ok(refused > 0.8 * sent, `of ${sent} datagrams the server read and dropped ${refused}`);
  const growth = await rss(server.child.pid) - before.rss;
  console.log(`       ${sent} datagrams in ${seconds.toFixed(1)} s, ${refused} dropped by name; the server grew by ${(growth / 1e6).toFixed(1)} MB`);
  assert.ok(growth < RSS_GROWTH_MAX, `the server grew by ${growth} bytes`);

  const log = server.log.join('\n');
  assert.ok(log.includes('peer=alice'), 'the log is the one of this call');
  assert.ok(server.log.length < 2000, `${server.log.length} lines were logged`);
  for (const secret of [...secretsOf([alice, bob], replies), ...strangers]) {
    assert.ok(!log.includes(secret), `the log has ${secret}`);
    assert.ok(!log.includes(secret.split('.').at(-1)), `the log has the end of ${secret}`);
  }
});
