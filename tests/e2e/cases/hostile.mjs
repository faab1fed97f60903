// A call goes on while strangers throw at its server what they can: on its UDP ports and over HTTP.
import { throwDatagrams, throwHttp } from '../harness/attack.mjs';
import { openAttackedCall, rss } from '../harness/attacked_call.mjs';
import { assert, test } from '../harness/test.mjs';
import { SECRET, makeToken } from '../harness/tokens.mjs';

const DATAGRAMS = 60_000, REQUESTS = 500;
const RSS_GROWTH_MAX = 10e6;

// Datagrams that the server has read and dropped, by whichever reason.
async function dropped(server) {
  const text = await (await fetch(server.url + '/metrics')).text();
  return [...text.matchAll(/^atm0s_dropped_total\{[^}]*\} (\d+)/gm)].reduce((sum, match) => sum + Number(match[1]), 0);
}

function secretsOf(peers, replies) {
  const secrets = [SECRET, ...peers.map((peer) => peer.token)];
  for (const { data } of replies) secrets.push(data.conn_id, data.sdp.match(/^a=ice-pwd:(.*)$/m)[1].trim());
  return secrets;
}

test('a call goes on under malformed datagrams and requests, and no secret is logged', { seconds: 120 }, async (env) => {
  const server = await env.startServer({ flags: ['--log-level', 'debug'] });
  const { peers, replies, ufrags, ssrcs, expectUnharmed } = await openAttackedCall(env, server);
  const strangers = [makeToken({ room: 'elsewhere' }), makeToken({ room: 'r' }, { secret: 'another-secret-that-signs-tokens-0123' })];

  const rssBefore = await rss(server.child.pid);
  const started = Date.now();
  const [sent] = await Promise.all([
    throwDatagrams({ address: '127.0.0.1', ports: server.mediaPorts, count: DATAGRAMS, ufrags, ssrcs }),
    throwHttp({ url: server.url, count: REQUESTS, secrets: strangers }),
  ]);
  const seconds = (Date.now() - started) / 1000;
  assert.ok(sent > DATAGRAMS * 0.99, `${sent} datagrams were sent`);

  await expectUnharmed(seconds);
  const refused = await dropped(server);
  assert.ok(refused > 0.8 * sent, `of ${sent} datagrams the server read and dropped ${refused}`);
  const growth = await rss(server.child.pid) - rssBefore;
  console.log(`       ${sent} datagrams in ${seconds.toFixed(1)} s, ${refused} dropped by name; the server grew by ${(growth / 1e6).toFixed(1)} MB`);
  assert.ok(growth < RSS_GROWTH_MAX, `the server grew by ${growth} bytes`);

  const log = server.log.join('\n');
  assert.ok(log.includes('peer=alice'), 'the log is the one of this call');
  assert.ok(server.log.length < 2000, `${server.log.length} lines were logged`);
  for (const secret of [...secretsOf(peers, replies), ...strangers]) {
    assert.ok(!log.includes(secret), `the log has ${secret}`);
    assert.ok(!log.includes(secret.split('.').at(-1)), `the log has the end of ${secret}`);
  }
});
