import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, parseInstant } from '../../../lib/core/time.ts';
import {
  isWindowLength,
  lastSettledWindow,
  settledWindows,
  windowKey,
  windowText,
  windowsOf,
} from '../../../lib/core/window.ts';

const at = (text: string): number => parseInstant(text) ?? Number.NaN;
const daily = { windowSeconds: DAY, settleSeconds: 30 * MINUTE };

describe('the last settled window', () => {
  test('is yesterday once yesterday is settled', () => {
    expect(windowText(lastSettledWindow(at('2026-11-23T00:30:00Z'), daily))).toBe(
      '2026-11-22T00:00:00Z/2026-11-23T00:00:00Z',
    );
  });

  test('is the day before as long as yesterday is not', () => {
    expect(windowText(lastSettledWindow(at('2026-11-23T00:29:59Z'), daily))).toBe(
      '2026-11-21T00:00:00Z/2026-11-22T00:00:00Z',
    );
  });
});

describe('the settled windows after a checkpoint', () => {
  test('are all missed days in order', () => {
    expect(settledWindows(at('2026-11-20'), at('2026-11-23T00:45:00Z'), daily).map(windowKey)).toEqual([
      '20261120T000000Z-20261121T000000Z',
      '20261121T000000Z-20261122T000000Z',
      '20261122T000000Z-20261123T000000Z',
    ]);
  });

  test('are none while the next one is not settled', () => {
    expect(settledWindows(at('2026-11-23'), at('2026-11-23T00:45:00Z'), daily)).toEqual([]);
  });

  test('have one that is settled in this very second', () => {
    expect(settledWindows(at('2026-11-22'), at('2026-11-23T00:30:00Z'), daily)).toHaveLength(1);
    expect(settledWindows(at('2026-11-22'), at('2026-11-23T00:29:59Z'), daily)).toHaveLength(0);
  });

  test('begin with a short one where the length was changed from hours to days', () => {
    expect(
      settledWindows(at('2026-11-20T05:00:00Z'), at('2026-11-22T01:00:00Z'), daily).map(windowText),
    ).toEqual(['2026-11-20T05:00:00Z/2026-11-21T00:00:00Z', '2026-11-21T00:00:00Z/2026-11-22T00:00:00Z']);
  });

  test('follow one another without gap or overlap, each within a day and settled, for every length', () => {
    const lengths = fc.constantFrom(MINUTE, 5 * MINUTE, HOUR, 6 * HOUR, DAY);
    fc.assert(
      fc.property(
        lengths,
        fc.nat(90 * MINUTE),
        fc.nat(3 * DAY),
        fc.nat(DAY),
        (length, settle, span, offset) => {
          const plan = { windowSeconds: length, settleSeconds: settle };
          const from = at('2026-11-01') + offset;
          const now = from + span;
          const windows = settledWindows(from, now, plan);
          let expected = from;
          for (const { start, end } of windows) {
            expect(start).toBe(expected);
            expect(end).toBeGreaterThan(start);
            expect(Math.floor(start / DAY)).toBe(Math.floor((end - 1) / DAY));
            expect(end % length).toBe(0);
            expect(end).toBeLessThanOrEqual(now - settle);
            expected = end;
          }
          expect(now - settle - expected).toBeLessThan(length);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test('the windows of a range make it up, in order', () => {
  const range = { start: at('2026-11-22T06:00:00Z'), end: at('2026-11-22T12:00:00Z') };
  expect(windowsOf(range, 3 * HOUR)).toEqual([
    { start: range.start, end: at('2026-11-22T09:00:00Z') },
    { start: at('2026-11-22T09:00:00Z'), end: range.end },
  ]);
  expect(windowsOf(range, 6 * HOUR)).toEqual([range]);
  expect(windowsOf({ start: range.start, end: range.start }, HOUR)).toEqual([]);
});

test('a window length divides a day', () => {
  expect([60, 3600, 86_400, 7200].every(isWindowLength)).toBe(true);
  expect([0, -3600, 7 * 60, 172_800, 0.5].some(isWindowLength)).toBe(false);
});
