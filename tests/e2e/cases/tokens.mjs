// Who may come in, and what for. Tokens are made here by hand, good and bad.
import { createHmac } from 'node:crypto';
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';
import { makeToken, nowSeconds, SECRET } from '../harness/tokens.mjs';

const VIEWER = '{receivers: {audio: 1, video: 1}}';

function signedOtherwise(claims) { // a right HMAC, but of SHA-512, and honest about it
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = part({ alg: 'HS512', typ: 'JWT' }) + '.' + part(claims);
  return head + '.' + createHmac('sha512', SECRET).update(head).digest('base64url');
}

test('bad tokens are refused with INVALID_TOKEN', { core: true }, async (env) => {
  const good = { room: env.room, peer: 'alice' };
  const signed = makeToken(good).split('.');
  const bad = {
    'no token at all': '',
    garbage: 'not.a.token',
    'signed with another secret': makeToken(good, { secret: SECRET + 'x' }),
    unsigned: makeToken(good, { alg: 'none' }),
    'without its signature': signed[0] + '.' + signed[1] + '.',
    'claims of another token': [signed[0], makeToken({ room: env.room }).split('.')[1], signed[2]].join('.'),
    'another algorithm': signedOtherwise({ ...good, protocol: 'Webrtc', publish: true, subscribe: true }),
    expired: makeToken({ ...good, exp: nowSeconds() - 10 }),
    'for another room': makeToken({ ...good, room: env.room + 'x' }),
    'for another peer': makeToken({ ...good, peer: 'bob' }),
    'for another protocol': makeToken({ ...good, protocol: 'Whip' }),
  };
  const alice = await env.open('alice');
  for (const [what, token] of Object.entries(bad)) {
    assert.equal(await alice.refused(VIEWER, { token }), 'INVALID_TOKEN', what);
  }
  assert.equal(await alice.refused(VIEWER, {}), 'connected', 'and the right one is taken');
});

test('a token without room or peer fits any', { core: true }, async (env) => {
  for (const claims of [{}, { room: env.room }, { peer: 'alice' }, { exp: nowSeconds() + 60 }]) {
    const alice = await env.join('alice', '{}', { token: makeToken(claims) });
    await alice.lab('run', 'session.disconnect()');
  }
});

test('one who may not publish is refused with senders; without, it sees and hears and reaches nobody', { core: true },
  async (env) => {
    const bob = await env.join('bob', '{senders: [A(), V()], receivers: {audio: 1, video: 1}}');
    const alice = await env.open('alice');
    const token = makeToken({ room: env.room, peer: 'alice', publish: false });
    assert.equal(await alice.refused('{senders: [A(), V()]}', { token }), 'FORBIDDEN');
    await alice.connect(VIEWER, { token });
    await seesAndHears(alice, bob);
    // Later it tries again by renegotiation.
    await alice.lab('run', "session.createPublisher({name: 'late', kind: 'audio', stream: lab.tone(440)})");
    const answer = await alice.lab('run', `return lab.until('the answer to the update', () =>
      lab.messages.find((message) => message.type === 'answer' && (message.data?.sdp || !message.success)));`);
    await bob.lab('run', 'await session.ping()');
    const remotes = await bob.page.evaluate(() => [...lab.remotes.keys()].filter((key) => key.startsWith('alice/')));
    assert.deepEqual(remotes, [], 'the update was answered with ' + JSON.stringify(answer));
    await alice.flows('bob/video_main', 'bob/audio_main');
  });

test('one who may not subscribe gets nothing, but is seen and heard', { core: true }, async (env) => {
  const bob = await env.join('bob', '{senders: [A(), V()], receivers: {audio: 1, video: 1}}');
  const alice = await env.open('alice');
  const token = makeToken({ room: env.room, peer: 'alice', subscribe: false });
  await alice.connect('{senders: [A(), V()], receivers: {audio: 1, video: 1}}', { token });
  await seesAndHears(bob, alice);
  const answer = await alice.lab('request', 'receiver.switch',
    { id: 'video_0', priority: 50, remote: { peer: 'bob', stream: 'video_main' } });
  assert.equal(answer.success, false);
  await alice.lab('takeReceiver', 'video', 'v');
  await alice.stops('v');
  assert.equal((await alice.lab('inbound', 'v'))?.packetsReceived ?? 0, 0);
});

async function issue(env, kind, body, { query = '', headers = {} } = {}) {
  const response = await fetch(`${env.server.url}/app/${kind}${query}`,
    { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  return { status: response.status, ...(await response.json()) };
}

test('the issue call makes tokens that work', { core: true }, async (env) => {
  const ways = [{ query: '?app_secret=' + encodeURIComponent(SECRET) }, { headers: { authorization: 'Bearer ' + SECRET } }];
  for (const [i, way] of ways.entries()) {
    const answer = await issue(env, 'webrtc_session', { room: env.room, peer: 'p' + i, expires_in: 60 }, way);
    assert.equal(answer.success ?? answer.status, true, JSON.stringify(answer));
    const claims = JSON.parse(Buffer.from(answer.data.token.split('.')[1], 'base64url'));
    assert.equal(claims.room, env.room);
    assert.ok(Math.abs(claims.exp - nowSeconds() - 60) <= 2);
    await env.join('p' + i, '{}', { token: answer.data.token });
  }
});

test('the issue call is refused without the right secret', { core: true }, async (env) => {
  const body = { room: env.room, peer: 'alice' };
  for (const way of [{}, { query: '?app_secret=wrong' }, { headers: { authorization: 'Bearer wrong' } },
    { query: '?app_secret=' }, { headers: { authorization: 'Basic ' + SECRET } }]) {
    const answer = await issue(env, 'webrtc_session', body, way);
    assert.ok(!answer.data?.token, JSON.stringify(way) + ' gave a token');
  }
});

test('a token of the issue call expires', {}, async (env) => {
  const answer = await issue(env, 'webrtc_session', { room: env.room, peer: 'alice', expires_in: 1 },
    { headers: { authorization: 'Bearer ' + SECRET } });
  const alice = await env.open('alice');
  const exp = JSON.parse(Buffer.from(answer.data.token.split('.')[1], 'base64url')).exp;
  await alice.page.waitForFunction((end) => Date.now() / 1000 > end + 0.2, exp);
  assert.equal(await alice.refused(VIEWER, { token: answer.data.token }), 'INVALID_TOKEN');
});
