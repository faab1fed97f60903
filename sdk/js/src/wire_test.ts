// The small readers of what comes over the wire.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectBody } from './config.js';
import { Atm0sError, asError, isFinal } from './errors.js';
import { readEnvelope } from './gateway.js';
import { applyLatency, latencyConfiguration } from './latency.js';
import { oneOf, readAddressed } from './protocol.js';
import { findMsids, isIceLite } from './sdp.js';
import { Codecs } from './choices.js';
import { tokenExpiry } from './token_keeper.js';

test('events that carry in their name for whom they are', () => {
  assert.deepEqual(readAddressed('local_stream_video_0_state'), { target: 'receiver', id: 'video_0', what: 'state' });
  assert.deepEqual(readAddressed('remote_stream_my_audio_level_audio_level'), {
    target: 'sender',
    id: 'my_audio_level',
    what: 'audio_level',
  });
  assert.deepEqual(readAddressed('remote_stream_vidéo main/hd_limit'), {
    target: 'sender',
    id: 'vidéo main/hd',
    what: 'limit',
  });
  assert.deepEqual(readAddressed('mix_minus_default_state'), { target: 'mixer', id: 'default', what: 'state' });
  for (const none of ['stream_added', 'local_stream__state', 'local_stream_video_0_limit', ''])
    assert.equal(readAddressed(none), undefined);
});

test('msids by their stream', () => {
  const sdp =
    'v=0\r\nm=audio 9 x\r\na=msid:s1 t1\r\nm=video 9 x\r\na=msid:{s-2} {t-2}\r\nm=video 9 x\r\na=msid:- t3\r\n';
  assert.deepEqual(
    [...findMsids(sdp).values()].map((one) => one.trackId),
    ['t1', 't3', '{t-2}'].sort((a, b) => sdp.indexOf(a) - sdp.indexOf(b)),
  );
  assert.equal(isIceLite('a=ice-lite\r\n'), true);
  assert.equal(isIceLite('a=ice-options:x\r\n'), false);
});

test('envelopes: data, or the error with its sentence', () => {
  assert.deepEqual(readEnvelope({ status: true, data: { a: 1 } }, 200), { a: 1 });
  assert.throws(() => readEnvelope({ status: false, data: { code: 'X', message: 'so' }, error: 'TOO_MANY' }, 429), {
    code: 'TOO_MANY',
    detail: 'so',
  });
  for (const bad of [null, 'text', [], {}, { status: 1 }])
    assert.throws(() => readEnvelope(bad, 500), { code: 'BAD_ANSWER' });
});

test('errors have their code as the message, as the first SDK had it', () => {
  const error = new Atm0sError('INVALID_TOKEN', 'expired');
  assert.equal(error.message, 'INVALID_TOKEN');
  assert.equal(String(error), 'INVALID_TOKEN: expired');
  assert.ok(error instanceof Error && isFinal(error));
  assert.equal(isFinal(asError(new TypeError('Failed to fetch'), 'NETWORK_ERROR')), false);
  assert.equal(asError(error), error);
});

test('the connect call has what was configured and no more', () => {
  const meta = { sdp: 'o', senders: [], receivers: { audio: 0, video: 0 } };
  const config = { roomId: 'r', peerId: 'p', token: 'old' };
  assert.deepEqual(connectBody(config, 't', meta), {
    room: 'r',
    peer: 'p',
    token: 't',
    ...meta,
    applies_stream_limits: true,
  });
  const all = connectBody(
    {
      ...config,
      mixMinusAudio: { mode: 'AllAudioStreams' },
      latencyMode: 'smooth-200',
      codecs: ['VP8'],
      bitrateControlMode: 'PerStream',
      subScope: 'manual',
      pubScope: 'full',
      metadata: 'm',
    },
    't',
    meta,
  );
  assert.deepEqual(
    [
      all.mix_minus_audio,
      all.latency_mode,
      all.codecs,
      all.remote_bitrate_control_mode,
      all.sub_scope,
      all.pub_scope,
      all.metadata,
    ],
    ['AllAudioStreams', 'smooth-200', ['VP8'], 'PerStream', 'manual', 'full', 'm'],
  );
});

test('when a token expires', () => {
  const token = (claims: unknown) => 'h.' + Buffer.from(JSON.stringify(claims)).toString('base64url') + '.s';
  assert.equal(tokenExpiry(token({ exp: 1700000000, room: 'é?>' })), 1_700_000_000_000);
  for (const none of [token({}), token({ exp: 'x' }), token(null), '', 'a.b', 'a.!.c'])
    assert.equal(tokenExpiry(none), undefined);
});

test('latency modes by what the browser has', () => {
  const now = { jitterBufferTarget: null, playoutDelayHint: null },
    old = { playoutDelayHint: null },
    none = {};
  for (const receiver of [now, old, none]) applyLatency(receiver, 'smooth-500');
  assert.deepEqual(
    [now, old, none],
    [{ jitterBufferTarget: 500, playoutDelayHint: null }, { playoutDelayHint: 0.5 }, {}],
  );
  applyLatency(now, 'ultra-low');
  assert.equal(now.jitterBufferTarget, 0);
  applyLatency(now, undefined);
  assert.equal(now.jitterBufferTarget, null);
  assert.deepEqual(
    ['ultra-low', 'default', 'smooth-200', 'smooth-500', 'smooth-800', 'smooth-1000', 'smooth-2000'].map(
      (mode) => Object.values(latencyConfiguration(mode as 'default'))[0],
    ),
    [10, undefined, 20, 25, 40, 50, 100],
  );
});

test('values of the wire that this code does not know are nothing', () => {
  assert.equal(oneOf(Codecs, 'VP9'), 'VP9');
  assert.equal(oneOf(Codecs, 'VP10'), undefined);
  assert.equal(oneOf(Codecs, 7), undefined);
});
