import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../fakes/clock.js';
import { Atm0sError } from './errors.js';
import type { ReconnectOptions } from './recovery.js';
import { DEFAULT_RECONNECT, RESTART_FOR, Recovery } from './recovery.js';
import { Timers } from './timers.js';

type Outcome = null | string | Promise<void>;

/** Each deed does what the test says; the diary has what happened when. */
function start(
  deeds: { check?: () => Outcome; restart?: () => Outcome; connect?: () => Outcome },
  options: ReconnectOptions = {},
) {
  const clock = new FakeClock();
  const diary: [number, string][] = [];
  const note = (what: string) => void diary.push([clock.now(), what]);
  const deed = (what: 'check' | 'restart' | 'connect') => async () => {
    if (what !== 'check') note(what);
    const outcome = deeds[what] ? deeds[what]() : what === 'check' ? 'CONNECTION_LOST' : null;
    if (typeof outcome === 'string') throw new Atm0sError(outcome);
    await outcome;
  };
  const recovery = new Recovery(
    new Timers(clock),
    () => 0,
    { check: deed('check'), restart: deed('restart'), connect: deed('connect') },
    {
      started: () => note('started'),
      recovered: (way) => note('recovered by ' + way),
      gaveUp: (error) => note('gave up: ' + error.code),
    },
    { ...DEFAULT_RECONNECT, ...options },
  );
  return { clock, recovery, diary, what: () => diary.map((entry) => entry[1]) };
}

test('a path that comes back by itself is not restarted', async () => {
  const { clock, recovery, what } = start({ check: () => null });
  recovery.start('restart', 500);
  await clock.advance(499);
  assert.deepEqual(what(), ['started']);
  await clock.advance(1);
  assert.deepEqual(what(), ['started', 'recovered by restart']);
  assert.equal(recovery.running, false);
});

test('a restart of ICE that works is enough', async () => {
  const { clock, recovery, what } = start({});
  recovery.start('restart');
  await clock.advance(0);
  assert.deepEqual(what(), ['started', 'restart', 'recovered by restart']);
});

test('a server that does not know the session any more is connected anew at once', async () => {
  const { clock, recovery, diary } = start({ restart: () => 'CONN_NOT_FOUND' });
  recovery.start('restart');
  await clock.advance(0);
  assert.deepEqual(diary, [
    [0, 'started'],
    [0, 'restart'],
    [0, 'connect'],
    [0, 'recovered by connect'],
  ]);
});

test('while the network is away it is restarted, as long as the server keeps the session', async () => {
  const { clock, recovery, diary } = start({ restart: () => (clock.now() < 20_000 ? 'NETWORK_ERROR' : null) });
  recovery.start('restart');
  await clock.advance(30_000);
  const done = diary.at(-1);
  assert.equal(done?.[1], 'recovered by restart');
  assert.ok((done?.[0] ?? 0) < 20_000 + DEFAULT_RECONNECT.longestWait + 1, `back at ${done?.[0]}`);
});

test('a server that is away for long is connected anew, within the longest wait of its return', async () => {
  let isAway = true;
  const away = () => (isAway ? 'NETWORK_ERROR' : null);
  const { clock, recovery, diary, what } = start({ restart: away, connect: away });
  recovery.start('restart');
  await clock.advance(60_000);
  const connects = diary.filter((entry) => entry[1] === 'connect').map((entry) => entry[0]);
  assert.ok((connects[0] ?? 0) >= RESTART_FOR, 'first by restarts');
  for (let i = 2; i < connects.length; ++i) {
    assert.ok((connects[i] as number) - (connects[i - 1] as number) <= DEFAULT_RECONNECT.longestWait);
  }
  isAway = false;
  await clock.advance(DEFAULT_RECONNECT.longestWait);
  assert.equal(what().at(-1), 'recovered by connect');
});

test('the waits grow from the first to the longest', async () => {
  const { clock, recovery, diary } = start({ connect: () => 'NETWORK_ERROR' });
  recovery.start('connect');
  await clock.advance(10_000);
  assert.deepEqual(
    diary.filter((entry) => entry[1] === 'connect').map((entry) => entry[0]),
    [0, 250, 750, 1750, 3750, 6750, 9750],
  );
  recovery.stop();
});

test('what the server refuses for good ends it, with its code', async () => {
  const { clock, recovery, what } = start({ connect: () => 'INVALID_TOKEN' });
  recovery.start('connect');
  await clock.advance(0);
  assert.deepEqual(what(), ['started', 'connect', 'gave up: INVALID_TOKEN']);
});

test('after long enough it is given up', async () => {
  const { clock, recovery, diary } = start({ connect: () => 'NETWORK_ERROR' }, { giveUpAfter: 20_000 });
  recovery.start('connect');
  await clock.advance(60_000);
  assert.equal(diary.at(-1)?.[1], 'gave up: CONNECTION_LOST');
  assert.ok((diary.at(-1)?.[0] ?? 0) < 24_000);
  assert.equal(clock.pending, 0);
});

test('a nudge ends the wait, a stop ends all', async () => {
  const { clock, recovery, what } = start({ connect: () => 'NETWORK_ERROR' });
  recovery.start('connect', 10_000);
  recovery.nudge();
  await clock.advance(0);
  assert.deepEqual(what(), ['started', 'connect']);
  recovery.stop();
  await clock.advance(100_000);
  assert.deepEqual(what(), ['started', 'connect']);
  assert.equal(clock.pending, 0);
});

test('a connection that is lost for good while ICE restarts is made anew', async () => {
  let end: (error: Error) => void = () => {};
  const { clock, recovery, what } = start({ restart: () => new Promise((_, reject) => (end = reject)) });
  recovery.start('restart');
  await clock.advance(0);
  recovery.start('connect');
  end(new Atm0sError('TIMEOUT'));
  await clock.advance(0);
  assert.deepEqual(what(), ['started', 'restart', 'connect', 'recovered by connect']);
});
