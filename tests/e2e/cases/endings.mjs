// How the server ends sessions, as a page with the npm SDK sees it: it is told why before the connection goes.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';
import { makeToken, nowSeconds } from '../harness/tokens.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const closing = (peer, seconds = 10) => peer.lab('waitMessage', 'session_closing', {}, seconds).then((m) => m.data);

test('a session ends with its token, and its page is told', {}, async (env) => {
  const bob = await env.join('bob', BOTH);
  const exp = nowSeconds() + 8;
  const alice = await env.join('alice', BOTH, { token: makeToken({ room: env.room, peer: 'alice', exp }) });
  await seesAndHears(bob, alice);
  assert.deepEqual(await closing(alice), { reason: 'token_expired' });
  assert.ok(Math.abs(Date.now() / 1000 - exp) < 1.5, 'at its end');
  await bob.lab('waitMessage', 'peer_removed', { peer: 'alice' }, 5);
});

test('a token that is renewed in the call lets it go on', {}, async (env) => {
  const bob = await env.join('bob', BOTH);
  const claims = { room: env.room, peer: 'alice' };
  const exp = nowSeconds() + 8;
  const alice = await env.join('alice', BOTH, { token: makeToken({ ...claims, exp }) });
  for (const [token, error] of [[makeToken({ ...claims, peer: 'bob' }), 'INVALID_TOKEN'],
    [makeToken(claims, { secret: 'x'.repeat(40) }), 'INVALID_TOKEN'],
    [makeToken({ ...claims, exp: exp + 60 }), undefined]]) {
    const answer = await alice.lab('request', 'peer.token', { token });
    assert.deepEqual([answer.success, answer.error], [!error, error]);
  }
  await alice.page.waitForFunction((end) => Date.now() / 1000 > end + 1, exp);
  await seesAndHears(bob, alice);
  // Another token takes the right to publish.
  const answer = await alice.lab('request', 'peer.token', { token: makeToken({ ...claims, publish: false }) });
  assert.equal(answer.success, true);
  await bob.lab('waitEvent', 'stream_removed', { peer: 'alice', stream: 'video_main' });
});

test('a page whose peer comes again is told that it was replaced', { core: true }, async (env) => {
  const first = await env.join('alice', BOTH);
  await env.join('alice', BOTH);
  assert.deepEqual(await closing(first), { reason: 'replaced' });
});

test('a server that refuses second sessions keeps the first', {}, async (env) => {
  const server = await env.startServer({ flags: ['--duplicate-peer', 'refuse', '--room-slice-size', '9'] });
  const first = await env.join('alice', BOTH, { server });
  const second = await env.open('alice', { server });
  assert.equal(await second.refused(BOTH, {}), 'DUPLICATE_PEER');
  await seesAndHears(first, first);
});

test('pages of a server that stops are told when to come back', {}, async (env) => {
  const server = await env.startServer();
  const pages = [await env.join('alice', BOTH, { server }), await env.join('bob', BOTH, { server })];
  await seesAndHears(pages[0], pages[1]);
  const told = Promise.all(pages.map((page) => closing(page)));
  const started = Date.now();
  assert.equal(await server.stop(), 0);
  assert.ok(Date.now() - started < 2500, 'it does not wait once all have confirmed');
  for (const { reason, retry_ms } of await told) {
    assert.equal(reason, 'shutdown');
    assert.ok(retry_ms >= 2000 && retry_ms < 4000, `${retry_ms} ms`);
  }
});
