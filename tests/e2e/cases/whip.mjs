// WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep), with clients that nobody here wrote: @eyevinn/whip-web-client and
// @eyevinn/webrtc-player in Chromium, and GStreamer's webrtcbin.
import { assert, test, until } from '../harness/test.mjs';
import { GstClient } from '../harness/gst_client.mjs';
import { HttpClient, patch, postOffer, whepToken, whipToken } from '../harness/http_client.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const VIEWER = '{receivers: {audio: 1, video: 1}}';
const PUBLISHER = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';

test('a WHIP publisher is seen by an SDK viewer, until it ends with DELETE', { core: true }, async (env) => {
  const bob = await env.join('bob', VIEWER);
  const camera = await HttpClient.open(env);
  await camera.publish('camera');
  await seesAndHears(bob, { name: 'camera' });
  const created = camera.calls.find((call) => call.method === 'POST');
  assert.equal(created.status, 201);
  assert.match(created.headers.location, /^\/whip\/conn\//);
  await bob.lab('waitMessage', 'peer_added', { peer: 'camera' }, 5);

  await camera.lab('stopPublishing');
  await bob.lab('waitMessage', 'peer_removed', { peer: 'camera' }, 5);
  await bob.stops('camera/video_main');
  await until('DELETE was answered', () => camera.calls.some((call) => call.method === 'DELETE' && call.status === 200));
});

test('a WHEP player shows an SDK publisher, until it ends with DELETE', { core: true }, async (env) => {
  const alice = await env.join('alice', PUBLISHER);
  const player = await HttpClient.open(env);
  await player.play('player');
  await player.flows();
  await alice.lab('waitMessage', 'peer_added', { peer: 'player' }, 5);
  await player.lab('stopPlaying');
  await alice.lab('waitMessage', 'peer_removed', { peer: 'player' }, 5);
});

test('a WHEP player that comes first waits for a WHIP publisher', { core: true }, async (env) => {
  const player = await HttpClient.open(env);
  await player.play();
  await player.page.waitForFunction(() => lab.state() === 'connected');
  const camera = await HttpClient.open(env);
  await camera.publish('camera');
  await player.flows();
});

test('a WHIP publisher that does not trickle is shown by a WHEP player', {}, async (env) => {
  const camera = await HttpClient.open(env);
  await camera.publish('camera', { noTrickleIce: true });
  const player = await HttpClient.open(env);
  await player.play('player');
  await player.flows();
  assert.ok(!camera.calls.some((call) => call.method === 'PATCH'));
});

test('GStreamer publishes H264 and Opus without trickling, and an SDK viewer sees and hears it', { seconds: 60 }, async (env) => {
  const bob = await env.join('bob', VIEWER);
  const gst = new GstClient(env, 'publish', whipToken(env.room, 'encoder'));
  const { location } = await gst.says('status', (status) => status === 201);
  assert.match(location, /^\/whip\/conn\//);
  const [video] = await Promise.all([bob.view('encoder', 'video_main'), bob.view('encoder', 'audio_main')]);
  const [pictures] = await bob.flows(video, 'encoder/audio_main');
  assert.match(pictures.codec, /h264/i);
  assert.equal(pictures.frameWidth, 640);
  assert.equal(await gst.stop(), 200);
  await bob.lab('waitMessage', 'peer_removed', { peer: 'encoder' }, 5);
});

test('GStreamer plays what another GStreamer publishes', { seconds: 60 }, async (env) => {
  const publisher = new GstClient(env, 'publish', whipToken(env.room, 'encoder'));
  const player = new GstClient(env, 'play', whepToken(env.room));
  await publisher.says('state', (state) => state === 'connected');
  await player.flows();
  assert.equal(await player.stop(), 200);
});

test('what is refused has its status and says why', { core: true }, async (env) => {
  const page = await HttpClient.open(env);
  const sends = await page.lab('offer', { sends: ['audio', 'video'] });
  const whip = whipToken(env.room, 'camera');
  const refused = async (status, code, token, sdp, headers) => {
    const answer = await postOffer(env.server, '/whip/endpoint', token, sdp, headers);
    assert.equal(answer.status, status, `${code}: ${answer.text}`);
    assert.deepEqual([answer.problem.status, answer.problem.code], [status, code]);
  };
  await refused(401, 'INVALID_TOKEN', 'x', sends);
  await refused(401, 'INVALID_TOKEN', whepToken(env.room, 'camera'), sends);
  await refused(403, 'FORBIDDEN', whipToken(env.room, 'camera', { publish: false }), sends);
  await refused(415, 'UNSUPPORTED_MEDIA_TYPE', whip, sends, { 'content-type': 'text/plain' });
  await refused(406, 'NOT_ACCEPTABLE', whip, sends, { accept: 'text/html' });
  await refused(406, 'NOT_ACCEPTABLE', whip, sends.replace(/opus\/48000/g, 'g729/8000'));
  await refused(400, 'INVALID_SDP', whip, 'v=0\r\nm=nothing');
  await refused(422, 'UNSUPPORTED_SDP', whip, sends.replace(/a=sendonly/g, 'a=recvonly'));

  const created = await postOffer(env.server, '/whip/endpoint', whip, sends);
  assert.equal(created.status, 201);
  const session = new URL(created.headers.get('location'), env.server.url);
  assert.deepEqual((await patch(session, 'a=ice-ufrag:abcd')).problem.code, 'PRECONDITION_REQUIRED');
  assert.equal((await patch(session, 'x', { 'if-match': '"x"' })).status, 412);
  assert.equal((await patch(session, 'x', { 'if-match': created.headers.get('etag') })).status, 400);
  assert.equal((await patch(session, 'x', { 'if-match': '*', 'content-type': 'application/sdp' })).status, 415);
  assert.equal((await fetch(session, { method: 'PUT' })).status, 405);
  assert.equal((await fetch(session, { method: 'DELETE' })).status, 200);
  assert.equal((await fetch(session, { method: 'DELETE' })).status, 404);
});

test('a page of any origin may read Location and ETag', {}, async (env) => {
  const page = await HttpClient.open(env);
  const offer = await page.lab('offer', { sends: ['audio'] });
  const seen = await page.page.evaluate(async ([url, token, offer]) => {
    const response = await fetch(url, { method: 'POST', body: offer,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' } });
    const headers = ['location', 'etag', 'accept-patch'].map((name) => response.headers.get(name));
    const restart = await fetch(new URL(headers[0], url), { method: 'PATCH', body: 'a=mid:0',
      headers: { 'if-match': headers[1], 'content-type': 'application/trickle-ice-sdpfrag' } });
    return [response.status, ...headers, restart.status];
  }, [env.server.url + '/whip/endpoint', whipToken(env.room, 'camera'), offer]);
  assert.equal(seen[0], 201);
  assert.ok(seen.every((value) => value), JSON.stringify(seen));
});
