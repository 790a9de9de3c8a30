import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../../lib/core/time.ts';
import { scheduledTime } from '../../../lib/schedule/scheduled-time.ts';

const now = parseInstant('2026-11-23T00:50:00Z') ?? 0;
const sample = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../../../events/${name}`, import.meta.url), 'utf8'));

describe('the scheduled time', () => {
  test('is read from the events that the project ships', async () => {
    const later = parseInstant('2030-01-01') ?? 0;
    expect(scheduledTime(await sample('scheduled.json'), later)).toBeGreaterThan(0);
    expect(scheduledTime(await sample('eventbridge-rule.json'), later)).toBeGreaterThan(0);
  });

  test('may be a little ahead of the clock here', () => {
    expect(scheduledTime({ scheduledTime: '2026-11-23T00:52:00Z' }, now)).toBe(now + 120);
  });

  test.each([
    [undefined, /^event: got nothing; accepted: /],
    [{}, /^event: scheduledTime: got nothing; accepted: an ISO 8601 instant/],
    [{ scheduledTime: 7 }, /^event: scheduledTime: got 7; accepted: an ISO 8601 instant/],
    [
      { scheduledTime: '<aws.scheduler.scheduled-time>' },
      /^event: scheduledTime: got "<aws.scheduler.scheduled-time>"/,
    ],
    [{ scheduledTime: '2026-11-23' }, /^event: scheduledTime: got "2026-11-23"/],
    [{ scheduledTime: '2026-11-24T00:45:00Z' }, /accepted: a time not after 2026-11-23T00:50:00Z$/],
    [
      { scheduledTime: '2026-11-23T00:45:00Z', replace: true },
      /^event: replace: unknown; accepted: scheduledTime$/,
    ],
    [
      { 'detail-type': 'Scheduled Event', source: 'aws.s3', time: '2026-11-23T00:45:00Z' },
      /^event: source: /,
    ],
  ])('is not read from %j', (event, message) => {
    expect(() => scheduledTime(event, now)).toThrow(message);
  });

  test('is refused where it is nested deeper than the stack goes', () => {
    let scheduled: unknown = 'now';
    for (let depth = 0; depth < 100_000; depth++) scheduled = depth % 2 === 0 ? [scheduled] : { scheduled };
    expect(() => scheduledTime({ scheduledTime: scheduled }, now)).toThrow(
      /^event: scheduledTime: got object; accepted: an ISO 8601 instant/,
    );
  });
});
