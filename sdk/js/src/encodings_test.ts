import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitEncodings, makeEncodings } from './encodings.js';

const CAMERA = { kind: 'video', simulcast: true } as const;

test('simulcast is three layers, the lowest first; of a screen two, the lower one slow', () => {
  assert.deepEqual(
    makeEncodings(CAMERA).map((one) => [one.rid, one.scaleResolutionDownBy, one.maxBitrate]),
    [
      ['0', 4, undefined],
      ['1', 2, undefined],
      ['2', 1, undefined],
    ],
  );
  assert.deepEqual(
    makeEncodings({ ...CAMERA, screen: true }).map((one) => [one.rid, one.scaleResolutionDownBy, one.maxFramerate]),
    [
      ['0', 2, 5],
      ['1', 1, undefined],
    ],
  );
});

test('a cap is shared by the layers and never exceeded', () => {
  const rates = makeEncodings({ ...CAMERA, maxBitrate: 2_600_000 }).map((one) => one.maxBitrate ?? 0);
  assert.deepEqual(rates, [200_000, 600_000, 1_800_000]);
  assert.deepEqual(makeEncodings({ kind: 'video', maxBitrate: 500_000 }), [{ maxBitrate: 500_000 }]);
  assert.deepEqual(makeEncodings({ kind: 'audio', simulcast: true, maxBitrate: 32_000 }), [{ maxBitrate: 32_000 }]);
  assert.deepEqual(makeEncodings({ kind: 'video' }), [{}]);
});

const limited = (limit: { maxBitrate: number; layers: number[] } | undefined, maxBitrate?: number) =>
  limitEncodings(makeEncodings({ ...CAMERA, maxBitrate }), { ...CAMERA, maxBitrate }, limit).map((one) => [
    one.active,
    one.maxBitrate,
  ]);

test('layers that nobody wants are off, but for the lowest', () => {
  assert.deepEqual(
    limited({ maxBitrate: 100_000, layers: [] }).map((one) => one[0]),
    [true, false, false],
  );
  assert.equal(limited({ maxBitrate: 100_000, layers: [] })[0]?.[1], 100_000);
  assert.deepEqual(limited({ maxBitrate: 400_000, layers: [0, 1] }).slice(0, 2), [
    [true, 100_000],
    [true, 300_000],
  ]);
  assert.deepEqual(
    limited({ maxBitrate: 1_000_000, layers: [2] }).map((one) => one[0]),
    [true, false, true],
  );
});

test('no limit of the server leaves what was configured, and the other way round', () => {
  assert.deepEqual(limited({ maxBitrate: 0, layers: [0, 1, 2] }), [
    [true, undefined],
    [true, undefined],
    [true, undefined],
  ]);
  assert.deepEqual(
    limited({ maxBitrate: 0, layers: [0, 1, 2] }, 1_300_000).map((one) => one[1]),
    [100_000, 300_000, 900_000],
  );
  assert.deepEqual(
    limited({ maxBitrate: 130_000, layers: [0, 1, 2] }, 1_300_000).map((one) => one[1]),
    [10_000, 30_000, 90_000],
  );
});

test('one encoding is never off: its cap is the smaller of both', () => {
  const single = (maxBitrate: number | undefined, limit: number) =>
    limitEncodings([{ maxBitrate: 7 }], { kind: 'video', maxBitrate }, { maxBitrate: limit, layers: [] });
  assert.deepEqual(single(500_000, 100_000), [{ maxBitrate: 100_000 }]);
  assert.deepEqual(single(500_000, 900_000), [{ maxBitrate: 500_000 }]);
  assert.deepEqual(single(undefined, 0), [{}], 'a cap that is gone is taken back');
});
