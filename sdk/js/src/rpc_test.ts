import assert from 'node:assert/strict';
import { deflateSync, inflateSync } from 'node:zlib';
import { test } from 'node:test';
import { FakeClock, settle } from '../fakes/clock.js';
import { Atm0sError } from './errors.js';
import { RPC } from './rpc.js';
import { Timers } from './timers.js';

function start() {
  const clock = new FakeClock();
  const sent: (string | ArrayBuffer)[] = [];
  const rpc = new RPC(new Timers(clock));
  const channel = { readyState: 'open', send: (data: string | ArrayBuffer) => void sent.push(data) };
  rpc.attach(channel);
  return { clock, rpc, sent, channel, message: (i: number) => JSON.parse(String(sent[i])) as Record<string, unknown> };
}

test('a request has its own id and gets its own answer', async () => {
  const { rpc, message } = start();
  const first = rpc.request('peer.ping', null),
    second = rpc.request('receiver.disconnect', { id: 'video_0' });
  assert.deepEqual(message(0), { req_id: 1, type: 'request', request: 'peer.ping', data: null });
  assert.deepEqual(message(1), { req_id: 2, type: 'request', request: 'receiver.disconnect', data: { id: 'video_0' } });
  rpc.receive(
    '{"type":"answer","req_id":2,"success":false,"data":{"message":"no"},"error":"TRACK_NOT_FOUND"}',
  );
  rpc.receive('{"type":"answer","req_id":1,"success":true,"data":7}');
  assert.deepEqual(await first, { status: true, data: 7 });
  assert.equal((await second).error, 'TRACK_NOT_FOUND');
});

test('a refusal is thrown by ask, with its code', async () => {
  const { rpc } = start();
  const asked = rpc.ask('peer.token', { token: 'x' });
  rpc.receive('{"type":"answer","req_id":1,"success":false,"data":{"message":"expired"},"error":"INVALID_TOKEN"}');
  await assert.rejects(asked, { code: 'INVALID_TOKEN', message: 'INVALID_TOKEN', detail: 'peer.token: expired' });
});

test('no answer in time is a TIMEOUT, and a late one is nothing', async () => {
  const { rpc, clock } = start();
  const asked = rpc.request('peer.ping', null, 500);
  const late = assert.rejects(asked, { code: 'TIMEOUT' });
  await clock.advance(500);
  await late;
  rpc.receive('{"type":"answer","req_id":1,"success":true}');
  assert.equal(clock.pending, 0);
});

test('what waits is rejected when the channel goes, and so is what comes then', async () => {
  const { rpc, clock } = start();
  const asked = assert.rejects(rpc.request('peer.ping', null), { code: 'CONNECTION_LOST' });
  rpc.close(new Atm0sError('CONNECTION_LOST'));
  await asked;
  await assert.rejects(rpc.request('peer.ping', null), { code: 'CONNECTION_LOST' });
  assert.equal(clock.pending, 0);
});

test('from 1,000 characters on a message is a zlib stream; the order of messages stays', async () => {
  const { rpc, sent } = start();
  void rpc
    .request('peer.updateSdp', { sdp: 'x'.repeat(1000), senders: [], receivers: { audio: 0, video: 0 } })
    .catch(() => {});
  void rpc.request('peer.ping', null).catch(() => {});
  for (let i = 0; i < 50 && sent.length < 2; ++i) await settle();
  const first = JSON.parse(inflateSync(Buffer.from(sent[0] as ArrayBuffer)).toString()) as {
    request: string;
    req_id: number;
  };
  assert.deepEqual([first.req_id, first.request], [1, 'peer.updateSdp']);
  assert.equal((JSON.parse(sent[1] as string) as { req_id: number }).req_id, 2);
});

test('messages of both forms are read, in their order', async () => {
  const { rpc } = start();
  const heard: unknown[] = [];
  rpc.onEvent = (event, data) => heard.push([event, data]);
  const packed = deflateSync(Buffer.from('{"type":"event","event":"one","data":{"text":"é"}}'));
  rpc.receive(packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.length) as ArrayBuffer);
  rpc.receive('{"type":"event","event":"two","data":2}');
  for (let i = 0; i < 50 && heard.length < 2; ++i) await settle();
  assert.deepEqual(heard, [
    ['one', { text: 'é' }],
    ['two', 2],
  ]);
});

test('listeners to an event by name', () => {
  const { rpc } = start();
  const heard: unknown[] = [];
  const listener = (_event: string, data: unknown) => void heard.push(data);
  rpc.on('room_stats', listener);
  rpc.receive('{"type":"event","event":"room_stats","data":1}');
  rpc.off('room_stats', listener);
  rpc.receive('{"type":"event","event":"room_stats","data":2}');
  assert.deepEqual(heard, [1]);
});

test('what is none of this protocol is dropped', async () => {
  const { rpc } = start();
  const { warn } = console;
  console.warn = () => {};
  for (const text of [
    '',
    '{',
    '[]',
    '7',
    'null',
    '{"type":"answer"}',
    '{"type":"event"}',
    '{"type":"answer","req_id":99}',
  ])
    rpc.receive(text);
  rpc.receive(new Uint8Array([1, 2, 3]).buffer);
  await settle();
  await new Promise((resolve) => setTimeout(resolve, 20));
  console.warn = warn;
  const asked = rpc.request('peer.ping', null);
  rpc.receive('{"type":"answer","req_id":1,"success":true}');
  assert.equal((await asked).status, true);
});
