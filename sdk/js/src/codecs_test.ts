import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Codecs } from './choices.js';
import { orderCodecs } from './codecs.js';

const list = (...mimeTypes: string[]): RTCRtpCodec[] => mimeTypes.map((mimeType) => ({ mimeType, clockRate: 90000 }));
const VIDEO = list('video/VP8', 'video/rtx', 'video/VP9', 'video/H264', 'video/AV1', 'video/red', 'video/ulpfec');
const AUDIO = list('audio/opus', 'audio/red', 'audio/G722', 'audio/PCMU', 'audio/CN', 'audio/telephone-event');

const order = (kind: 'audio' | 'video', wishes: { preferred?: Codecs[]; allowed?: Codecs[] }) =>
  orderCodecs(kind, kind === 'audio' ? AUDIO : VIDEO, wishes)?.map((codec) => codec.mimeType.split('/')[1]);

test('preferred codecs come first, the others stay behind them', () => {
  assert.deepEqual(order('video', { preferred: ['AV1', 'VP9'] }), [
    'AV1',
    'VP9',
    'VP8',
    'H264',
    'rtx',
    'red',
    'ulpfec',
  ]);
});

test('allowed codecs are alone, in their order, with their helpers', () => {
  assert.deepEqual(order('video', { allowed: ['OPUS', 'H264', 'VP8'] }), ['H264', 'VP8', 'rtx', 'red', 'ulpfec']);
  assert.deepEqual(order('audio', { allowed: ['OPUS', 'VP8'] }), ['opus', 'red', 'CN', 'telephone-event']);
});

test('what a sender prefers counts within what the session allows', () => {
  assert.deepEqual(order('video', { allowed: ['VP8', 'H264'], preferred: ['AV1', 'H264'] })?.slice(0, 2), [
    'H264',
    'VP8',
  ]);
});

test('without a wish for the kind, or with one that nothing fits, the browser decides', () => {
  assert.equal(order('video', {}), undefined);
  assert.equal(order('audio', { preferred: ['VP8'] }), undefined);
  assert.equal(orderCodecs('video', list('video/VP8'), { allowed: ['AV1'] }), undefined);
});
