// Tokens and endings with our own SDK, by its own calls and events: a token that is renewed in a call, by setToken or
// renewToken, and each reason for which a server ends a session.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';
import { SECRET, makeToken, nowSeconds } from '../harness/tokens.mjs';

const OWN = { sdk: 'own' };
const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';

const admin = (server, method, path, body) =>
  fetch(server.url + path, {
    method, body: body && JSON.stringify(body), headers: { authorization: `Bearer ${SECRET}` },
  }).then((response) => assert.ok(response.ok, `${path}: ${response.status}`));

// Keeps what a session says of its end, in the order in which it says it.
const KEEP = `lab.said = [];
  for (const event of ['closing', 'disconnected', 'reconnecting', 'reconnected', 'error']) {
    session.on(event, (detail) => lab.said.push([event, detail?.code ?? detail]));
  }`;
const said = (peer) => peer.page.evaluate(() => lab.said);
const saysAtLast = (peer, event, seconds = 10) =>
  peer.lab('run', `return lab.until('${event}', () => lab.said.some((one) => one[0] === '${event}'), ${seconds})`);

const setToken = (peer, token) =>
  peer.page.evaluate((token) => lab.session.setToken(token).then(() => 'taken', (error) => error.code), token);

// How a session is ended for good, by the reason that it is told.
const ENDINGS = {
  kick: (env) => admin(env.server, 'DELETE', `/admin/rooms/${env.room}/peers/alice`),
  token_revoked: (env) => admin(env.server, 'POST', '/admin/tokens/revoke', { jti: 'token-of-' + env.room }),
  replaced: (env) => env.join('alice', BOTH),
  async disconnected(env, alice) {
    const { conn_id } = (await alice.replies('/webrtc/connect'))[0].data;
    await fetch(env.server.url + '/webrtc/conn/' + conn_id, { method: 'DELETE' });
  },
  token_expired() {},
};

for (const [reason, end] of Object.entries(ENDINGS)) {
  test(`a session that is ended (${reason}) says why, and does not come back`, OWN, async (env) => {
    const bob = await env.join('bob', BOTH);
    const exp = nowSeconds() + (reason === 'token_expired' ? 5 : 600);
    const token = makeToken({ room: env.room, peer: 'alice', jti: 'token-of-' + env.room, exp });
    const alice = await env.join('alice', BOTH, { token, before: KEEP });
    await seesAndHears(bob, alice, ['audio_main']);
    await end(env, alice);
    await saysAtLast(alice, 'disconnected');
    await bob.lab('waitMessage', reason === 'replaced' ? 'stream_removed' : 'peer_removed', { peer: 'alice' }, 5);
    await alice.page.waitForTimeout(1500); // longer than the first wait of a reconnection
    assert.deepEqual(await said(alice), [['closing', { reason }], ['disconnected', reason]]);
    assert.deepEqual(
      await alice.page.evaluate(() => [lab.session.disconnected, lab.connections.length, lab.connections[0].connectionState]),
      [true, 1, 'closed'],
    );
  });
}

test('a session of a server that is drained goes on at the next one', { ...OWN, seconds: 60 }, async (env) => {
  const [first, second] = [await env.startServer(), await env.startServer()];
  const options = { server: second, urls: [first.url, second.url], before: KEEP };
  const [alice, bob] = await Promise.all([env.join('alice', BOTH, options), env.join('bob', BOTH, options)]);
  await seesAndHears(alice, bob);
  await admin(first, 'POST', '/admin/drain');
  for (const peer of [alice, bob]) {
    await saysAtLast(peer, 'reconnected', 15);
    const [closing, ...rest] = await said(peer);
    assert.ok(closing[1].reason === 'drain' && closing[1].retryMs > 0, JSON.stringify(closing));
    assert.deepEqual(rest.map((one) => one[0]), ['reconnecting', 'reconnected']);
  }
  await alice.flows('bob/audio_main', 'bob/video_main');
});

test('setToken renews a token in the call, takes rights and gives them back', { ...OWN, seconds: 60 }, async (env) => {
  const bob = await env.join('bob', BOTH);
  const claims = { room: env.room, peer: 'alice' }, exp = nowSeconds() + 6;
  const alice = await env.join('alice', BOTH, { token: makeToken({ ...claims, exp }), before: KEEP });
  assert.equal(await setToken(alice, makeToken({ ...claims, peer: 'bob' })), 'INVALID_TOKEN');
  assert.equal(await setToken(alice, makeToken({ ...claims, exp: exp + 60 })), 'taken');
  await alice.page.waitForFunction((end) => Date.now() / 1000 > end + 1, exp);
  await seesAndHears(bob, alice);
  assert.equal(await setToken(alice, makeToken({ ...claims, publish: false })), 'taken');
  await bob.lab('waitEvent', 'stream_removed', { peer: 'alice', stream: 'video_main' });
  assert.equal(await setToken(alice, makeToken(claims)), 'taken');
  for (const id of ['alice/audio_main', 'alice/video_main']) await bob.lab('unview', id);
  await seesAndHears(bob, alice);
  assert.deepEqual(await said(alice), []);
});

test('renewToken is asked in time, and the call goes on over its end', { ...OWN, seconds: 60 }, async (env) => {
  const bob = await env.join('bob', BOTH);
  const claims = { room: env.room, peer: 'alice' }, exp = nowSeconds() + 6;
  const config = `{senders: [A(), V()], receivers: {audio: 1, video: 1},
    renewToken: async () => { lab.asked = (lab.asked ?? 0) + 1; return '${makeToken({ ...claims, exp: exp + 600 })}'; }}`;
  const alice = await env.join('alice', config, { token: makeToken({ ...claims, exp }), before: KEEP });
  await alice.page.waitForFunction((end) => Date.now() / 1000 > end + 1, exp);
  await seesAndHears(bob, alice);
  assert.deepEqual([await alice.page.evaluate(() => lab.asked), await said(alice)], [1, []]);
});

test('a token that could not be renewed in time is renewed when it has expired', { ...OWN, seconds: 60 }, async (env) => {
  const bob = await env.join('bob', BOTH);
  const claims = { room: env.room, peer: 'alice' }, exp = nowSeconds() + 5;
  const config = `{senders: [A(), V()], receivers: {audio: 1, video: 1}, renewToken: async () => {
    lab.asked = (lab.asked ?? 0) + 1;
    if (lab.asked === 1) throw new Error('the backend is away');
    return '${makeToken({ ...claims, exp: exp + 600 })}';
  }}`;
  const alice = await env.join('alice', config, { token: makeToken({ ...claims, exp }), before: KEEP });
  await saysAtLast(alice, 'reconnected', 20);
  await seesAndHears(bob, alice);
  assert.deepEqual(
    (await said(alice)).map(([event, detail]) => `${event} ${detail?.reason ?? detail ?? ''}`.trim()),
    ['error INVALID_TOKEN', 'closing token_expired', 'reconnecting', 'reconnected'],
  );
});
