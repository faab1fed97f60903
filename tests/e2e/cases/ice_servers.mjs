// The ICE servers that an answer names, with credentials that a TURN server with the same secret would take.
import { createHmac } from 'node:crypto';
import { assert, test } from '../harness/test.mjs';
import { nowSeconds } from '../harness/tokens.mjs';

test('an answer names ICE servers with credentials that end', {}, async (env) => {
  const server = await env.startServer({ flags: ['--ice-server', 'stun:stun.example:3478', '--ice-server',
    'turn:turn.example:3478?transport=udp', '--ice-server', 'turns:turn.example:443?transport=tcp', '--turn-secret', 'north',
    '--turn-lifetime', '600'] });
  const alice = await env.join('alice', '{}', { server });
  const [{ data: { ice_servers: servers } }] = await alice.replies('/webrtc/connect');
  assert.deepEqual(servers[0], { urls: ['stun:stun.example:3478'] });
  const [, { urls, username, credential }] = servers;
  assert.deepEqual(urls, ['turn:turn.example:3478?transport=udp', 'turns:turn.example:443?transport=tcp']);
  const [end, name] = username.split(':');
  assert.equal(name, 'alice');
  assert.ok(Math.abs(Number(end) - nowSeconds() - 600) < 5, username);
  assert.equal(credential, createHmac('sha1', 'north').update(username).digest('base64'));
  // Chromium takes them as they are.
  assert.equal(await alice.page.evaluate((iceServers) => new RTCPeerConnection({ iceServers }).getConfiguration()
    .iceServers.length, servers), 2);
});

test('without ICE servers an answer names none', { core: true }, async (env) => {
  const alice = await env.join('alice');
  assert.equal('ice_servers' in (await alice.replies('/webrtc/connect'))[0].data, false);
});
