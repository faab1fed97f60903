// The HTTP side: health, CORS, and the calls around a connection.
import { seesAndHears } from '../harness/peer.mjs';
import { assert, test } from '../harness/test.mjs';

const post = (url, body) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body) });

test('the health check says ready', { core: true }, async (env) => {
  const answer = await fetch(env.server.url + '/healthcheck?ts=1').then((r) => r.json());
  assert.deepEqual([answer.status, answer.data], [true, { ready: true }]);
});

test('of a list of urls the SDK takes the first that is ready', { core: true }, async (env) => {
  const alice = await env.join('alice', '{}', { urls: [env.world.pages.url, env.server.url] });
  assert.ok(alice.requests.some((request) => request.path === '/healthcheck'));
});

test('any origin may call', { core: true }, async (env) => {
  for (const [path, method] of [['/webrtc/connect', 'POST'], ['/webrtc/conn/x', 'DELETE'], ['/healthcheck', 'GET']]) {
    const response = await fetch(env.server.url + path, { method: 'OPTIONS', headers: { origin: 'https://app.example',
      'access-control-request-method': method, 'access-control-request-headers': 'content-type,authorization' } });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    assert.ok(['*', 'https://app.example'].includes(response.headers.get('access-control-allow-origin')));
    const methods = response.headers.get('access-control-allow-methods') ?? '';
    assert.ok(method === 'GET' || method === 'POST' || methods.includes(method) || methods === '*', `${methods} has ${method}`);
    assert.match(response.headers.get('access-control-allow-headers') ?? '', /content-type|\*/i);
  }
});

test('what is no request is answered with JSON, never with a broken connection', { core: true }, async (env) => {
  const bodies = ['', '{', '[]', 'null', '{"room":7}', '{"room":"r","peer":"p","token":"t","sdp":"x"}'];
  for (const path of ['/webrtc/connect', '/webrtc/ice_remote', '/webrtc/ice_restart']) {
    for (const body of bodies) {
      const answer = await (await post(env.server.url + path, body)).json();
      assert.equal(answer.status, false, `${path} ${body} gave ${JSON.stringify(answer)}`);
      assert.equal(typeof answer.error, 'string');
    }
  }
  const answer = await (await fetch(env.server.url + '/webrtc/conn/nobody', { method: 'DELETE' })).json();
  assert.equal(typeof answer.status, 'boolean');
});

test('an unknown path is not found', { core: true }, async (env) => {
  for (const path of ['/nothing', '/webrtc', '/../etc/passwd', '/%2e%2e/x']) {
    assert.equal((await fetch(env.server.url + path)).status, 404, path);
  }
});

test('the connection id is long, and with it a session can be ended from outside', { core: true }, async (env) => {
  const bob = await env.join('bob');
  const alice = await env.join('alice', '{senders: [A()]}');
  await bob.lab('waitRemotePlain', 'alice', 'audio_main');
  const { conn_id } = (await alice.replies('/webrtc/connect'))[0].data;
  assert.ok(conn_id.length >= 22, 'at least 128 bits');
  const answer = await (await fetch(env.server.url + '/webrtc/conn/' + conn_id, { method: 'DELETE' })).json();
  assert.equal(answer.status, true);
  await bob.lab('waitMessage', 'peer_removed', { peer: 'alice' }, 5);
  await alice.page.waitForFunction(() => lab.channel().readyState === 'closed', null, { timeout: 5000 });
});

// Our own SDK has nothing to trickle: next.
test('every trickled candidate was answered with JSON that says so', { core: true, sdk: 'npm' }, async (env) => {
  const alice = await env.join('alice', '{senders: [A(), V()]}');
  for (const reply of await alice.replies('/webrtc/ice_remote')) assert.equal(reply.status, true);
});

test('our own SDK tells a server that is ICE lite no candidates', { sdk: 'own' }, async (env) => {
  const alice = await env.join('alice', '{senders: [A(), V()], receivers: {audio: 1, video: 1}}');
  await seesAndHears(alice, alice);
  await alice.page.waitForFunction(() => lab.connections[0].iceGatheringState === 'complete');
  assert.deepEqual(alice.requests.filter(({ path }) => path === '/webrtc/ice_remote'), []);
});

test('metrics are served', { core: true }, async (env) => {
  const response = await fetch(env.server.url + '/metrics');
  assert.equal(response.status, 200);
  assert.match(await response.text(), /^# (HELP|TYPE) atm0s_/m);
});

test('the server stops in order when told to', {}, async (env) => {
  const server = await env.startServer();
  const alice = await env.join('alice', '{senders: [A()]}', { server });
  server.child.kill('SIGTERM');
  await alice.lab('waitMessage', 'session_closing', {}, 3);
  assert.equal(await server.exited, 0);
});
