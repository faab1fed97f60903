// The data channel: requests, and what is none.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';

test('ping is answered', { core: true }, async (env) => {
  const alice = await env.join('alice');
  for (let i = 0; i < 5; ++i) assert.ok(await alice.lab('run', 'return session.ping()') < 500);
});

test('unknown and malformed requests are answered with an error, and the session lives', { core: true }, async (env) => {
  const alice = await env.join('alice', BOTH);
  await seesAndHears(alice, alice);
  const bad = [['no.such.request', {}], ['receiver.switch', null], ['receiver.switch', { id: 7 }], ['receiver.limit', 'x'],
    ['sender.toggle', { name: 'audio_main', kind: 'smell', track: 'x' }], ['peer.updateSdp', { sdp: 'v=0 nonsense' }],
    ['mix_minus.add', []], ['room.subscribe', 1]];
  for (const [request, data] of bad) {
    const answer = await alice.lab('request', request, data);
    assert.equal(answer.success, false, `${request} ${JSON.stringify(data)} gave ${JSON.stringify(answer)}`);
    assert.equal(typeof answer.error, 'string', `${request} has an error code`);
  }
  await alice.flows('alice/video_main', 'alice/audio_main');
});

test('garbage on the data channel does no harm', { core: true }, async (env) => {
  const alice = await env.join('alice', BOTH);
  await seesAndHears(alice, alice);
  await alice.lab('run', `
    const channel = lab.channel();
    for (const text of ['', 'not json', '{', '[]', '7', 'null', '{"type":"request"}', '{"type":"answer","req_id":1}',
      '{"type":"request","req_id":"x","request":"peer.ping"}', '{"type":"request","req_id":-1,"request":"peer.ping"}',
      '['.repeat(20000)]) channel.send(text);
    for (const size of [0, 1, 3, 1000, 60000]) {
      channel.send(crypto.getRandomValues(new Uint8Array(size)));
    }`);
  assert.equal(typeof await alice.lab('run', 'return session.ping()'), 'number');
  await alice.flows('alice/video_main', 'alice/audio_main');
});

test('a small message that inflates to very much does no harm', {}, async (env) => {
  const alice = await env.join('alice');
  await alice.lab('run', `
    const zeros = new Blob([new Uint8Array(50_000_000)]).stream().pipeThrough(new CompressionStream('deflate'));
    const bomb = await new Response(zeros).arrayBuffer();
    for (let i = 0; i < 3; ++i) lab.channel().send(bomb);`);
  assert.equal(typeof await alice.lab('run', 'return session.ping()'), 'number');
});

test('a compressed request is read', { core: true }, async (env) => {
  const alice = await env.join('alice');
  const answer = await alice.lab('run', `
    const text = JSON.stringify({ type: 'request', req_id: 4711, request: 'peer.ping', data: null, more: ' '.repeat(2000) });
    const deflated = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate'));
    lab.channel().send(await new Response(deflated).arrayBuffer());
    return lab.until('the answer', () => lab.messages.find((message) => message.req_id === 4711));`);
  assert.equal(answer.success, true);
});

// Each may belong to a renegotiation that is still under way, so they wait, and no longer than ten seconds.
test('a request for a receiver or sender that never comes is refused after ten seconds', {}, async (env) => {
  const alice = await env.join('alice', BOTH);
  const started = Date.now();
  const answers = await alice.page.evaluate(async () => {
    const ask = (req_id, request, data) => lab.channel().send(JSON.stringify({ type: 'request', req_id, request, data }));
    ask(815, 'receiver.switch', { id: 'video_7', priority: 50, remote: { peer: 'alice', stream: 'video_main' } });
    ask(816, 'sender.toggle', { name: 'nobody', kind: 'audio', track: 'x' });
    return Promise.all([815, 816].map((id) =>
      lab.until('the answer', () => lab.messages.find((message) => message.req_id === id), 15)));
  });
  for (const answer of answers) assert.deepEqual([answer.success, answer.error], [false, 'TRACK_NOT_FOUND']);
  assert.ok(Date.now() - started > 9000);
});

test('peer.close ends the session', {}, async (env) => {
  const bob = await env.join('bob');
  const alice = await env.join('alice', BOTH);
  await bob.lab('waitRemotePlain', 'alice', 'video_main');
  await alice.page.evaluate(() => lab.channel().send('{"type":"request","req_id":1,"request":"peer.close","data":null}'));
  await bob.lab('waitMessage', 'peer_removed', { peer: 'alice' }, 5);
});
