import { describe, expect, test } from 'vitest';
import {
  NBSP,
  bytesText,
  clockText,
  compact,
  count,
  counted,
  durationText,
  endClockText,
  percent,
  windowTitle,
} from '../../../lib/report/text.ts';
import { DAY, HOUR, MINUTE } from '../../../lib/core/time.ts';

const START = Date.UTC(2026, 10, 22) / 1000;
const spaced = (text: string): string => text.replaceAll(NBSP, ' ');

test('numbers have separators of thousands, and agree with their noun', () => {
  expect([0, 999, 1000, 1_234_567].map(count)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect([counted(1, 'class', 'classes'), counted(0, 'event'), counted(2000, 'event')]).toEqual([
    '1 class',
    '0 events',
    '2,000 events',
  ]);
});

test('short numbers have at most four characters', () => {
  const numbers = [0, 999, 1000, 9949, 9950, 12_345, 99_999, 999_499, 999_500, 1_000_000, 12_000_000];
  expect(numbers.map(compact)).toEqual([
    '0',
    '999',
    '1k',
    '9.9k',
    '10k',
    '12k',
    '100k',
    '999k',
    '1M',
    '1M',
    '12M',
  ]);
});

test('a share that is not nothing does not look like it, nor one that is not all like all', () => {
  expect([percent(0, 0), percent(0, 9), percent(1, 1001), percent(1, 3), percent(1, 2)]).toEqual([
    '0%',
    '0%',
    '< 0.1%',
    '33.3%',
    '50.0%',
  ]);
  expect([percent(9999, 10_000), percent(998, 1000), percent(7, 7)]).toEqual(['> 99.9%', '99.8%', '100%']);
});

test('durations have their two largest units', () => {
  const durations = [0, 59, 200, 2 * HOUR, 2 * HOUR + 5 * MINUTE, DAY + 1, 3 * DAY + 4 * HOUR + 5 * MINUTE];
  expect(durations.map((seconds) => spaced(durationText(seconds)))).toEqual([
    '0 s',
    '59 s',
    '3 min 20 s',
    '2 h',
    '2 h 5 min',
    '1 d',
    '3 d 4 h',
  ]);
});

test('bytes have a unit in which they are easy to read', () => {
  expect([1, 1023, 1024, 1_300_000, 5 * 2 ** 40].map(bytesText)).toEqual([
    '1 byte',
    '1,023 bytes',
    '1.0 KiB',
    '1.2 MiB',
    '5.0 TiB',
  ]);
});

describe('times', () => {
  test('show seconds only off the minute, and a day ends at 24:00', () => {
    expect([
      clockText(START),
      clockText(START + 65),
      endClockText(START + DAY),
      endClockText(START + HOUR),
    ]).toEqual(['00:00', '00:01:05', '24:00', '01:00']);
  });

  test('name a window by its day, and one that is shorter by its hours, too', () => {
    expect(windowTitle({ start: START, end: START + DAY })).toBe('22 November 2026');
    expect(windowTitle({ start: START + 23 * HOUR, end: START + DAY })).toBe(
      '22 November 2026, 23:00 to 24:00',
    );
  });
});
