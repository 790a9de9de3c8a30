import { describe, expect, test } from 'vitest';
import { eventOf, readRequest } from '../../../lib/backfill/request.ts';
import { InputError } from '../../../lib/errors.ts';
import { DAY, HOUR, MINUTE, iso } from '../../../lib/time.ts';

const daily = { windowSeconds: DAY, settleSeconds: 30 * MINUTE };
const NOW = Date.parse('2026-11-25T00:45:00Z') / 1000;

describe('The event of a backfill', () => {
  test('asks for a range of dates, and needs nothing else', () => {
    expect(readRequest({ start: '2026-11-01', end: '2026-11-08' }, daily, NOW)).toEqual({
      range: { start: Date.UTC(2026, 10, 1) / 1000, end: Date.UTC(2026, 10, 8) / 1000 },
      replace: false,
      replacement: undefined,
      formats: undefined,
      concurrency: 4,
      dryRun: false,
      cut: false,
    });
  });

  test('may name instants in any zone, if they are edges of windows', () => {
    const hourly = { ...daily, windowSeconds: HOUR };
    const { range } = readRequest(
      { start: '2026-11-01T02:00:00+01:00', end: '2026-11-01T04:00' },
      hourly,
      NOW,
    );
    expect([iso(range.start), iso(range.end)]).toEqual(['2026-11-01T01:00:00Z', '2026-11-01T04:00:00Z']);
  });

  test('is cut at the settled edge if that is asked for', () => {
    const { range } = readRequest({ start: '2026-11-20', end: '2026-12-24', cut: true }, daily, NOW);
    expect(iso(range.end)).toBe('2026-11-25T00:00:00Z');
  });

  test('comes back as the event for a part of it', () => {
    const request = readRequest(
      { start: '2026-11-01', end: '2026-11-08', replace: true, formats: ['jsonl'], concurrency: 9 },
      daily,
      NOW,
    );
    const part = { start: request.range.start + DAY, end: request.range.end };
    expect(eventOf(request, part)).toEqual({
      start: '2026-11-02T00:00:00Z',
      end: '2026-11-08T00:00:00Z',
      replace: true,
      formats: ['jsonl'],
      concurrency: 9,
    });
    expect(readRequest(eventOf(request, part), daily, NOW)).toEqual({ ...request, range: part });
  });

  const range = { start: '2026-11-01', end: '2026-11-08' };
  test.each([
    [undefined, 'event: got nothing; accepted: an object with start and end'],
    [{}, 'event: start: got nothing; accepted: an ISO 8601 date or instant'],
    [
      { ...range, start: 'yesterday' },
      'event: start: got "yesterday"; accepted: an ISO 8601 date or instant',
    ],
    [{ ...range, start: '2026-02-30' }, 'event: start: got "2026-02-30"'],
    [{ ...range, end: 20_261_108 }, 'event: end: got 20261108'],
    [
      { ...range, start: '2026-11-01T06:00:00Z' },
      'event: start: got "2026-11-01T06:00:00Z", which is within a window; ' +
        'accepted: the edge of one, such as 2026-11-01T00:00:00Z or 2026-11-02T00:00:00Z',
    ],
    [{ ...range, end: '2026-11-01' }, 'event: end: got "2026-11-01"; accepted: a time after start'],
    [
      { ...range, end: '2026-11-26' },
      'event: end: got "2026-11-26", which is not settled yet; accepted: up to 2026-11-25T00:00:00Z, or "cut": true',
    ],
    [
      { start: '2026-11-25', end: '2026-11-26', cut: true },
      'event: start: got "2026-11-25"; accepted: a time before',
    ],
    [{ ...range, replace: 'yes' }, 'event: replace: got "yes"; accepted: true or false'],
    [
      { ...range, formats: ['xml'] },
      'event: formats: 0: got "xml"; accepted: a list of one or more of csv, jsonl',
    ],
    [{ ...range, formats: [] }, 'event: formats: got []; accepted: a list of one or more of csv, jsonl'],
    [{ ...range, concurrency: 0 }, 'event: concurrency: got 0; accepted: a whole number, 1 to 100'],
    [
      { ...range, dryrun: true },
      'event: dryrun: unknown; accepted: start, end, replace, replacement, formats, concurrency',
    ],
    [
      { ...range, replacement: '0123456789abcdef' },
      'event: replacement: got "0123456789abcdef" without replace; accepted: both, or neither',
    ],
    [
      { ...range, replace: true, replacement: '2026-11-20' },
      'event: replacement: got "2026-11-20"; accepted: 16 hexadecimal digits, as in the "next" of an answer',
    ],
  ])('is refused as %j', (event, message) => {
    expect(() => readRequest(event, daily, NOW)).toThrow(InputError);
    expect(() => readRequest(event, daily, NOW)).toThrow(message);
  });
});
