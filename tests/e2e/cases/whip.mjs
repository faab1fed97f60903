// WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep), with clients that nobody here wrote: @eyevinn/whip-web-client and
// @eyevinn/webrtc-player in Chromium, GStreamer's webrtcbin, and werift in Node.js.
import { assert, test, until } from '../harness/test.mjs';
import { GstClient } from '../harness/gst_client.mjs';
import { HttpClient, patch, postOffer, whepToken, whipToken } from '../harness/http_client.mjs';
import { seesAndHears } from '../harness/peer.mjs';
import { candidatePairs } from '../harness/candidate_pairs.mjs';
import { WeriftClient } from '../harness/werift_client.mjs';

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

test('a WHEP player follows to the next publisher when the first goes', {}, async (env) => {
  const first = await HttpClient.open(env);
  await first.publish('zoe');
  await first.page.waitForFunction(() => lab.state() === 'connected');
  const alice = await env.join('alice', PUBLISHER);
  await alice.lab('waitRemotePlain', 'zoe', 'video_main');
  const player = await HttpClient.open(env);
  await player.play('player');
  // The camera of the WHIP client is 4:3, that of the SDK's page 16:9, however small a browser makes them at first.
  const { width, height } = await player.flows();
  assert.ok(width < height * 1.5, `the WHIP publisher, who came first: ${width}x${height}`);
  await first.lab('stopPublishing');
  await player.page.waitForFunction(async () => {
    const { width, height } = await lab.received();
    return width > height * 1.5;
  });
  await player.flows();
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

test('werift publishes VP8 and Opus, and an SDK viewer sees and hears it', { seconds: 60 }, async (env) => {
  const bob = await env.join('bob', VIEWER);
  const camera = await WeriftClient.publish(env, 'camera');
  const [, video] = await seesAndHears(bob, { name: 'camera' });
  const pictures = await bob.flows(video);
  assert.match(pictures.codec, /vp8/i);
  assert.equal(pictures.frameWidth, 640);
  assert.equal(await camera.stop(), 200);
  await bob.lab('waitMessage', 'peer_removed', { peer: 'camera' }, 5);
});

test('werift plays what an SDK publishes, and its request for a key frame is heard', { seconds: 60 }, async (env) => {
  const alice = await env.join('alice', PUBLISHER);
  const player = await WeriftClient.play(env, 'player');
  const { audio, video } = await player.flows();
  assert.ok(video.keyFrames > 0, 'pictures begin with a key frame');
  assert.ok(video.bytes / video.frames > 200, JSON.stringify(video));
  assert.ok(audio.bytes / audio.packets > 20, JSON.stringify(audio));
  await player.askForKeyFrame();
  assert.equal(await player.stop(), 200);
  await alice.lab('waitMessage', 'peer_removed', { peer: 'player' }, 5);
});

test('ICE is restarted by PATCH while pictures and sound go on', {}, async (env) => {
  await env.join('alice', PUBLISHER);
  const player = await HttpClient.open(env);
  const offer = await player.lab('offer', { receives: ['audio', 'video'] });
  const created = await postOffer(env.server, '/whep/endpoint', whepToken(env.room, 'player'), offer);
  assert.equal(created.status, 201, created.text);
  await player.lab('answer', created.text);
  await player.flows();

  const session = new URL(created.headers.get('location'), env.server.url);
  const { ufrag, pwd } = await player.lab('restart');
  const wanted = `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${pwd}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n`;
  const restarted = await patch(session, wanted, { 'if-match': '*' });
  assert.equal(restarted.status, 200, restarted.text);
  assert.equal(restarted.headers.get('content-type'), 'application/trickle-ice-sdpfrag');
  assert.notEqual(restarted.headers.get('etag'), created.headers.get('etag'));
  const read = (name) => restarted.text.match(new RegExp(`a=${name}:(\\S+)`))[1];
  await player.lab('restarted', created.text, { ufrag: read('ice-ufrag'), pwd: read('ice-pwd') });
  await player.flows();
  // Which pair it then uses, the old one while that is good or the new one, is a browser's own affair.
  await until('a check with the new fragment was answered', async () =>
    (await candidatePairs(player.page, 'lab.connections.at(-1)')).some(({ pair, remote }) =>
      remote.usernameFragment === read('ice-ufrag') && pair.responsesReceived > 0));

  const candidate = wanted + 'a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host\r\n';
  const tags = [created.headers.get('etag'), restarted.headers.get('etag')];
  assert.deepEqual([412, 204], await Promise.all(tags.map(async (tag) =>
    (await patch(session, candidate, { 'if-match': tag })).status)));
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
