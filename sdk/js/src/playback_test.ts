import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Playback } from './playback.js';

const refusal = Object.assign(new Error('no gesture'), { name: 'NotAllowedError' });

function start(play: () => Promise<void>) {
  const page = new EventTarget();
  const listening = new Set<string>();
  page.addEventListener = (type: string) => void listening.add(type);
  page.removeEventListener = (type: string) => void listening.delete(type);
  const told: boolean[] = [];
  const playback = new Playback(page, (blocked) => told.push(blocked));
  const element = { play, pause: () => {}, autoplay: false, srcObject: null };
  playback.add(element as unknown as HTMLAudioElement, {} as MediaStream);
  return { playback, listening, told, element };
}

test('what the browser refuses is told once, and waits for a gesture', async () => {
  let isAllowed = false;
  const { playback, listening, told } = start(async () => {
    if (!isAllowed) throw refusal;
  });
  assert.equal(await playback.play(), false);
  assert.equal(await playback.play(), false);
  assert.deepEqual([told, listening.size > 0, playback.blocked], [[true], true, true]);
  isAllowed = true;
  assert.equal(await playback.play(), true);
  assert.deepEqual([told, listening.size, playback.blocked], [[true, false], 0, false]);
});

test('other failures are nothing that a gesture would mend', async () => {
  const { playback, told } = start(async () => {
    throw Object.assign(new Error('interrupted'), { name: 'AbortError' });
  });
  assert.equal(await playback.play(), true);
  assert.deepEqual(told, []);
});

test('a refusal that comes after the end starts nothing', async () => {
  let refuse: (error: Error) => void = () => {};
  const { playback, listening, told, element } = start(() => new Promise((_, reject) => (refuse = reject)));
  const played = playback.play();
  playback.close();
  refuse(refusal);
  assert.equal(await played, false);
  assert.deepEqual([told, listening.size, element.srcObject], [[], 0, null]);
});
