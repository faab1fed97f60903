// The admin API against the running server, with real calls in it; every answer is held to docs/openapi.json.
import { assert, test, until } from '../harness/test.mjs';
import { OpenApi } from '../harness/openapi.mjs';
import { seesAndHears } from '../harness/peer.mjs';
import { makeToken, nowSeconds, SECRET } from '../harness/tokens.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const api = new OpenApi(new URL('../../../docs/openapi.json', import.meta.url));

// call('GET', '/admin/rooms/{room}', {room: 'x'}, body): status and data, held to the document.
function caller(server, secret = SECRET) {
  return async (method, path, names = {}, body) => {
    const url = server.url + path.replace(/{(\w+)}/g, (_, name) => encodeURIComponent(names[name]));
    const response = await fetch(url, { method, body: typeof body === 'object' ? JSON.stringify(body) : body,
      headers: secret === null ? {} : { authorization: `Bearer ${secret}` } });
    const answer = await response.json();
    api.check(method.toLowerCase(), path, String(response.status), answer);
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    return { status: response.status, data: answer.data, headers: response.headers };
  };
}

const PEER = '/admin/rooms/{room}/peers/{peer}', STREAM = PEER + '/streams/{stream}';

test('rooms, peers, streams and layers are told over all workers', {}, async (env) => {
  const call = caller(env.server);
  // --room-slice-size is 1: each on a worker of its own.
  const bob = await env.join('bob', BOTH);
  const alice = await env.join('alice / é', BOTH, { token: makeToken({ room: env.room, jti: 'j-1', exp: nowSeconds() + 600 }) });
  await seesAndHears(bob, alice);
  const { data: { rooms } } = await call('GET', '/admin/rooms');
  assert.deepEqual(rooms.find(({ room }) => room === env.room), { room: env.room, peers: 2, streams: 4 });
  const { data: { room, peers } } = await call('GET', '/admin/rooms/{room}', { room: env.room });
  assert.deepEqual([room, peers.map(({ peer }) => peer)], [env.room, ['alice / é', 'bob']]);
  const video = await until('its video is measured', async () => {
    const { data } = await call('GET', PEER, { room: env.room, peer: 'alice / é' });
    assert.deepEqual([data.peer, data.state, data.jti, data.publish], ['alice / é', 'Connected', 'j-1', true]);
    const stream = data.streams.find(({ name }) => name === 'video_main');
    return stream.layers.length > 0 && stream;
  });
  assert.deepEqual([video.kind, video.active, video.muted, video.viewers], ['video', true, false, 1]);
  assert.ok(video.layers[0].bitrate > 10_000 && video.layers[0].width > 0, JSON.stringify(video.layers));
  const viewer = peers.find(({ peer }) => peer === 'bob').receivers.find(({ id }) => id === 'video_0');
  assert.deepEqual([viewer.state, viewer.remote], ['live', { peer: 'alice / é', stream: 'video_main' }]);
});

test('a stream is muted, whatever its page does, and comes back', {}, async (env) => {
  const call = caller(env.server);
  const bob = await env.join('bob', BOTH), alice = await env.join('alice', BOTH);
  await seesAndHears(bob, alice);
  const names = { room: env.room, peer: 'alice', stream: 'video_main' };
  assert.deepEqual((await call('PATCH', STREAM, names, { muted: true })).data, { sessions: 1 });
  await bob.lab('waitEvent', 'stream_updated', { peer: 'alice', stream: 'video_main', active: false });
  await alice.lab('waitMessage', 'remote_stream_video_main_state', { state: 'deactived' });
  await bob.stops('alice/video_main');
  await alice.lab('run', "session.getSender('video', 'video_main').switch(lab.media, 'again')");
  await bob.stops('alice/video_main');
  await bob.flows('alice/audio_main');
  await call('PATCH', STREAM, names, { muted: false });
  await bob.flows('alice/video_main');
  assert.equal((await call('PATCH', STREAM, { ...names, stream: 'nothing' }, { muted: true })).status, 404);
});

test('rights are taken and given, and a peer is kicked', {}, async (env) => {
  const call = caller(env.server);
  const bob = await env.join('bob', BOTH), alice = await env.join('alice', BOTH);
  await seesAndHears(bob, alice);
  const names = { room: env.room, peer: 'alice' };
  await call('PATCH', PEER, names, { publish: false });
  await bob.lab('waitEvent', 'stream_removed', { peer: 'alice', stream: 'video_main' });
  assert.equal((await call('GET', PEER, names)).data.publish, false);
  await call('PATCH', PEER, names, { publish: true });
  await bob.lab('waitRemotePlain', 'alice', 'video_main');
  assert.deepEqual((await call('DELETE', PEER, names)).data, { sessions: 1 });
  assert.deepEqual((await alice.lab('waitMessage', 'session_closing')).data, { reason: 'kick' });
  await bob.lab('waitMessage', 'peer_removed', { peer: 'alice' });
  assert.equal((await call('DELETE', PEER, names)).status, 404);
});

test('a revoked token ends its session and lets nobody in again', {}, async (env) => {
  const call = caller(env.server);
  const token = makeToken({ room: env.room, peer: 'alice', jti: `revoked-${env.room}` });
  const alice = await env.join('alice', BOTH, { token });
  const answer = await call('POST', '/admin/tokens/revoke', {}, { jti: `revoked-${env.room}`, exp: nowSeconds() + 60 });
  assert.deepEqual(answer.data, { sessions: 1 });
  assert.deepEqual((await alice.lab('waitMessage', 'session_closing')).data, { reason: 'token_revoked' });
  const again = await env.open('alice');
  assert.equal(await again.refused(BOTH, { token }), 'INVALID_TOKEN');
  const bob = await env.join('bob', BOTH);
  assert.equal((await bob.lab('request', 'peer.token', { token })).success, false, 'nor does it renew another');
});

test('a drained server sends its sessions away, takes none and says so, until it is told otherwise', {}, async (env) => {
  const server = await env.startServer();
  const call = caller(server);
  const alice = await env.join('alice', BOTH, { server });
  const ready = async () => (await (await fetch(server.url + '/healthcheck')).json()).data.ready;
  assert.equal(await ready(), true);
  assert.deepEqual((await call('POST', '/admin/drain', {}, { end_sessions: false })).data, { sessions: 1 });
  assert.equal(await ready(), false);
  const bob = await env.open('bob', { server });
  assert.equal(await bob.refused(BOTH, {}), 'SHUTTING_DOWN');
  assert.equal(typeof await alice.lab('run', 'return session.ping()'), 'number');
  await call('POST', '/admin/drain');
  const told = (await alice.lab('waitMessage', 'session_closing')).data;
  assert.equal(told.reason, 'drain');
  assert.ok(told.retry_ms < 2000);
  await until('nobody is left', async () => (await call('GET', '/admin/rooms')).data.rooms.length === 0);
  await call('DELETE', '/admin/drain');
  assert.equal(await ready(), true);
  await env.join('carol', BOTH, { server });
});

// Last: what the tests above have not met, and then nothing of the document may be left but 503.
test('every call of the document is refused as it says, and nothing in it is untested', {}, async (env) => {
  const server = await env.startServer(); // it is drained by and by
  const call = caller(server);
  await env.join('alice', BOTH, { server });
  const names = { room: env.room, peer: 'alice', stream: 'video_main' };
  for (const [path, item] of Object.entries(api.document.paths)) {
    for (const method of Object.keys(item).filter((one) => one !== 'parameters')) {
      for (const secret of [null, '', 'wrong', SECRET + 'x']) {
        const refused = await caller(server, secret)(method.toUpperCase(), path, names);
        assert.equal(refused.status, 401, `${method} ${path}`);
        assert.equal(refused.headers.get('www-authenticate'), 'Bearer');
      }
      const { responses } = item[method];
      if (responses[404]) assert.equal((await call(method.toUpperCase(), path, { ...names, room: 'nowhere' },
        item[method].requestBody && { publish: true, muted: true })).status, 404, `${method} ${path}`);
      if (responses[400]) {
        for (const body of ['{', '[]', { publish: 1 }, { muted: 'x' }, { jti: 7 }, { end_sessions: 'no' }]) {
          const { status } = await call(method.toUpperCase(), path, names, body);
          assert.ok(status === 400 || status === 200, `${method} ${path}: ${status}`);
        }
      }
      if (responses[405]) assert.equal((await call('PUT', path, names)).status, 405, path);
    }
  }
  for (const path of ['/admin', '/admin/', '/admin/x', '/admin/rooms/', '/admin/rooms/%zz', '/admin/rooms/a/b']) {
    const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${SECRET}` } });
    assert.equal(response.status, 404, path);
  }
  const left = api.operations().filter((one) => !api.seen.has(one) && !one.endsWith(' 503'));
  assert.deepEqual(left, []);
});
