import { describe, expect, test } from 'vitest';
import { duration, openMeter } from '../../../lib/command/progress.ts';

describe('What a progress bar shows', () => {
  let now = 0;
  const meter = () => {
    now = 0;
    return openMeter(() => now);
  };

  test('is a share that does not go back when more becomes known', () => {
    const one = meter();
    one.expect(100);
    one.done(50, 40);
    expect(one.read().share).toBe(0.5);
    one.expect(900);
    expect(one.read().share).toBe(0.5);
    one.done(500, 1);
    expect(one.read()).toMatchObject({ share: 0.55, rows: 41 });
  });

  test('is a time left that goes by the reading, not by what came before it', () => {
    const one = meter();
    // Two minutes in all, of which a quarter goes into looking for the rows.
    now = 30;
    one.expect(1000);
    one.done(0, 0);
    expect(one.read().secondsLeft).toBeUndefined();
    const wrong: number[] = [];
    for (let second = 1; second <= 89; second++) {
      now = 30 + second;
      one.done(11, 11);
      wrong.push(Math.abs((one.read().secondsLeft ?? Number.NaN) - (91 - second)));
    }
    // A fiftieth has to be read before anything is told.
    expect(wrong.slice(0, 1)).toEqual([Number.NaN]);
    expect(Math.max(...wrong.slice(1))).toBeLessThan(1);
    expect(one.read().secondsLeft).toBeLessThan(3);
  });

  test('is no time left before anything is known', () => {
    const one = meter();
    now = 5;
    expect(one.read()).toEqual({ rows: 0, rate: 0, share: 0, secondsLeft: undefined });
  });

  test('is the rows of a second, over all', () => {
    const one = meter();
    one.expect(10);
    one.done(10, 8);
    now = 4;
    expect(one.read()).toEqual({ rows: 8, rate: 2, share: 1, secondsLeft: 0 });
  });
});

test.each([
  [0.2, '1 s'],
  [61, '1 min 1 s'],
  [7500, '2 h 5 min'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
