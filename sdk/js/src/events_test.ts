import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypedEventEmitter } from './events.js';

interface Events {
  said: (text: string) => void;
  done: () => void;
}

test('listeners are told in order, until they end it', () => {
  const emitter = new TypedEventEmitter<Events>();
  const heard: string[] = [];
  const end = emitter.on('said', (text) => heard.push('a' + text));
  emitter.on('said', (text) => heard.push('b' + text));
  emitter.emit('said', '1');
  end();
  emitter.emit('said', '2');
  emitter.offAllListeners();
  emitter.emit('said', '3');
  assert.deepEqual(heard, ['a1', 'b1', 'b2']);
});

test('a listener that ends itself, or adds another, disturbs no other', () => {
  const emitter = new TypedEventEmitter<Events>();
  const heard: string[] = [];
  emitter.once('done', () => heard.push('once'));
  emitter.on('done', () => heard.push('always'));
  emitter.emit('done');
  emitter.emit('done');
  assert.deepEqual(heard, ['once', 'always', 'always']);
  assert.equal(emitter.listenerCount('done'), 1);
  assert.equal(emitter.listeners('said'), undefined);
});

test('what a listener throws reaches the page, not the others', () => {
  const emitter = new TypedEventEmitter<Events>();
  const reported: unknown[] = [];
  let heard = 0;
  globalThis.reportError = (error) => void reported.push(error);
  emitter.on('done', () => {
    throw new Error('of an application');
  });
  emitter.on('done', () => void ++heard);
  emitter.emit('done');
  assert.equal(heard, 1);
  assert.match(String(reported[0]), /of an application/);
});
