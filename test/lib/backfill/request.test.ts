import { describe, expect, test } from 'vitest';
import {
  type BackfillRequest,
  latestEdge,
  readRequest,
  resolveRequest,
  settingsFor,
} from '../../../lib/backfill/request.ts';
import type { ReleaseTrace, ScheduledTrace, Trace } from '../../../lib/drop/trace.ts';
import { InputError } from '../../../lib/core/errors.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { DAY, HOUR, iso } from '../../../lib/core/time.ts';

const NOW = Date.parse('2026-11-25T00:45:00Z') / 1000;
const deployed = readSettings({
  STAR_BUCKET: 'traces',
  STAR_SECRET: 'nova',
  STAR_CLOUD: 'aurora',
  STAR_TABLES: 'instance_events',
});
const hourly = { ...deployed, windowSeconds: HOUR };
const range = { start: '2026-11-01', end: '2026-11-08' };
const at = (text: string): number => Date.parse(text) / 1000;

const scheduled = (begin: string, windowSeconds = DAY): ScheduledTrace => ({
  kind: 'scheduled',
  begin: at(begin),
  windowSeconds,
});
const release: ReleaseTrace = {
  kind: 'release',
  range: { start: at('2026-11-03'), end: at('2026-11-08') },
  windowSeconds: DAY,
  tables: ['instance_events'],
  formats: ['csv'],
  compression: 'gzip',
  source: 'database',
  maskingScope: '0123456789abcdef',
  settings: 'ff',
};

/** As a handler does it. */
function resolve(event: unknown, trace?: Trace, settings = deployed): BackfillRequest {
  const asked = readRequest(event);
  return resolveRequest(asked, trace, settingsFor(asked, settings), NOW);
}
const rangeOf = ({ range: { start, end } }: BackfillRequest): string[] => [iso(start), iso(end)];

describe('The event of a backfill', () => {
  test('asks for a range of dates, and needs nothing else', () => {
    expect(readRequest(range)).toEqual({
      ...range,
      concurrency: 4,
      dryRun: false,
      cut: false,
    });
    const times = { start: at('2026-11-01'), end: at('2026-11-08') };
    expect(resolve(range)).toMatchObject({ range: times, windowSeconds: DAY });
  });

  test('may name instants in any zone, if they are edges of windows', () => {
    const asked = { start: '2026-11-01T02:00:00+01:00', end: '2026-11-01T04:00' };
    expect(rangeOf(resolve(asked, undefined, hourly))).toEqual([
      '2026-11-01T01:00:00Z',
      '2026-11-01T04:00:00Z',
    ]);
  });

  test.each([
    [undefined, 'event: got nothing; accepted: an object with start and end'],
    [{}, 'event: start: got nothing; accepted: an ISO 8601 date or instant'],
    [
      { ...range, start: 'yesterday' },
      'event: start: got "yesterday"; accepted: an ISO 8601 date or instant',
    ],
    [{ ...range, start: '2026-02-30' }, 'event: start: got "2026-02-30"'],
    [{ ...range, end: 20_261_108 }, 'event: end: got 20261108'],
    [{ ...range, concurrency: 0 }, 'event: concurrency: got 0; accepted: a whole number, 1 to 100'],
    [{ ...range, dryRun: 'yes' }, 'event: dryRun: got "yes"; accepted: true or false'],
    [{ ...range, cut: 1 }, 'event: cut: got 1; accepted: true or false'],
    [
      { ...range, dryrun: true },
      'event: dryrun: unknown; accepted: start, end, release, formats, compression, concurrency, dryRun, cut',
    ],
    [
      { ...range, replace: true },
      'event: replace: unknown; accepted: start, end, release, formats, compression, concurrency, dryRun, cut',
    ],
    [
      { ...range, release: 'v 1' },
      'event: release: got "v 1"; accepted: a name of 1 to 32 letters, digits, dots, hyphens and underscores',
    ],
    [{ ...range, release: '' }, 'event: release: got ""; accepted: a name'],
    [{ ...range, release: 'a/b' }, 'event: release: got "a/b"; accepted: a name'],
    [{ ...range, release: 'x'.repeat(33) }, `event: release: got "${'x'.repeat(33)}"; accepted: a name`],
    [
      { ...range, compression: 'zstd' },
      'event: compression: got "zstd" without release; accepted: with a release only',
    ],
    [
      { ...range, release: 'v1', compression: 'lzma' },
      'event: compression: got "lzma"; accepted: gzip or zstd',
    ],
    [
      { ...range, formats: ['csv'] },
      'event: formats: got ["csv"] without release; accepted: with a release only',
    ],
    [
      { ...range, release: 'v1', formats: ['xml'] },
      'event: formats: 0: got "xml"; accepted: a list of one or more of csv, jsonl',
    ],
    [
      { ...range, release: 'v1', formats: [] },
      'event: formats: got []; accepted: a list of one or more of csv, jsonl',
    ],
    [
      { ...range, release: 'v1', formats: ['csv', 'csv'] },
      'event: formats: got ["csv","csv"]; accepted: a list of one or more of csv, jsonl',
    ],
    [
      { ...range, release: 'v1', cut: true },
      'event: cut: got true with release; accepted: a range that need not be cut',
    ],
  ])('is refused as %j', (event, message) => {
    expect(() => readRequest(event)).toThrow(InputError);
    expect(() => readRequest(event)).toThrow(message);
  });
});

describe('The settings of a backfill', () => {
  test('are the deployment’s', () => {
    expect(settingsFor({ release: undefined, formats: undefined }, deployed)).toBe(deployed);
  });

  test('of a release are the deployment’s but for a trace of its own and the formats and compression asked for', () => {
    const own = { ...deployed, cloud: 'aurora-2026.1', release: { name: '2026.1', range: undefined } };
    expect(settingsFor({ release: '2026.1', formats: undefined }, deployed)).toEqual(own);
    const formats = ['parquet'] as const;
    expect(settingsFor({ release: '2026.1', formats: [...formats], compression: 'zstd' }, deployed)).toEqual({
      ...own,
      formats,
      compression: 'zstd',
    });
  });
});

describe('A range', () => {
  test('may reach up to the last edge that is 24 hours old', () => {
    expect(iso(latestEdge(NOW, DAY))).toBe('2026-11-24T00:00:00Z');
    expect(iso(latestEdge(NOW, HOUR))).toBe('2026-11-24T00:00:00Z');
    expect(iso(latestEdge(at('2026-11-25T00:00:00Z'), DAY))).toBe('2026-11-24T00:00:00Z');
    expect(iso(latestEdge(at('2026-11-24T23:59:59Z'), DAY))).toBe('2026-11-23T00:00:00Z');
    expect(rangeOf(resolve({ start: '2026-11-20', end: '2026-11-24' }))).toEqual([
      '2026-11-20T00:00:00Z',
      '2026-11-24T00:00:00Z',
    ]);
  });

  test('reaches up to begin, and no further', () => {
    const trace = scheduled('2026-11-10');
    expect(rangeOf(resolve({ ...range, end: '2026-11-10' }, trace))).toEqual([
      '2026-11-01T00:00:00Z',
      '2026-11-10T00:00:00Z',
    ]);
  });

  test('is cut, if that is asked for, at begin or at the last edge that is old enough', () => {
    const asked = { start: '2026-11-01', end: '2027-01-01', cut: true };
    expect(rangeOf(resolve(asked))[1]).toBe('2026-11-24T00:00:00Z');
    expect(rangeOf(resolve(asked, scheduled('2026-11-10')))[1]).toBe('2026-11-10T00:00:00Z');
    // The schedule begins with a window of its own: what ended less than 24 hours ago before it is still too young.
    expect(rangeOf(resolve(asked, scheduled('2026-11-25')))[1]).toBe('2026-11-24T00:00:00Z');
  });

  test('is in windows of the length that the trace was begun with, whatever the setting is today', () => {
    const trace = scheduled('2026-11-10', HOUR);
    const asked = { start: '2026-11-01T06:00Z', end: '2026-11-01T09:00Z' };
    expect(resolve(asked, trace)).toMatchObject({ windowSeconds: HOUR });
    expect(() => resolve(asked, scheduled('2026-11-10'), hourly)).toThrow(
      'event: start: got "2026-11-01T06:00Z", which is within a window',
    );
  });

  test.each<[string, object, Trace | undefined, string]>([
    [
      'that starts within a window',
      { ...range, start: '2026-11-01T06:00:00Z' },
      undefined,
      'event: start: got "2026-11-01T06:00:00Z", which is within a window; ' +
        'accepted: the edge of one, such as 2026-11-01T00:00:00Z or 2026-11-02T00:00:00Z',
    ],
    [
      'that ends within a window',
      { ...range, end: '2026-11-08T06:00:00Z' },
      undefined,
      'event: end: got "2026-11-08T06:00:00Z", which is within a window',
    ],
    [
      'that is empty',
      { ...range, end: '2026-11-01' },
      undefined,
      'event: end: got "2026-11-01"; accepted: a time after start, 2026-11-01T00:00:00Z',
    ],
    [
      'that is upside down',
      { ...range, end: '2026-10-01' },
      undefined,
      'event: end: got "2026-10-01"; accepted: a time after start',
    ],
    [
      'that is not a day old',
      { ...range, end: '2026-11-25' },
      undefined,
      'event: end: got "2026-11-25", but windows are published once they ended 24 hours ago; ' +
        'accepted: up to 2026-11-24T00:00:00Z, or "cut": true',
    ],
    [
      'that begins too late',
      { start: '2026-11-24', end: '2026-11-25', cut: true },
      undefined,
      'event: start: got "2026-11-24", but windows are published once they ended 24 hours ago; ' +
        'accepted: before 2026-11-24T00:00:00Z',
    ],
    [
      'of a release that is not a day old',
      { ...range, end: '2026-11-25', release: 'v1' },
      undefined,
      'event: end: got "2026-11-25", but windows are published once they ended 24 hours ago; ' +
        'accepted: up to 2026-11-24T00:00:00Z',
    ],
    [
      'beyond begin',
      range,
      scheduled('2026-11-05'),
      'event: end: got "2026-11-08", but the trace begins at 2026-11-05T00:00:00Z, and the schedule publishes what ' +
        'follows; accepted: up to 2026-11-05T00:00:00Z, or "cut": true',
    ],
    [
      'that starts at begin',
      { ...range, start: '2026-11-05', cut: true },
      scheduled('2026-11-05'),
      'event: start: got "2026-11-05", but the trace begins at 2026-11-05T00:00:00Z, and the schedule publishes what ' +
        'follows; accepted: before 2026-11-05T00:00:00Z',
    ],
    [
      'of more windows than are planned at once',
      { start: '1700-01-01', end: '2026-11-08' },
      undefined,
      'event: end: a range of 119380 windows; accepted: up to 100000 at once',
    ],
  ])('%s is refused', (_, event, trace, message) => {
    expect(() => resolve(event, trace)).toThrow(InputError);
    expect(() => resolve(event, trace)).toThrow(message);
    expect(message).not.toContain('\n');
  });

  test('of a release is not offered to be cut', () => {
    expect(() => resolve({ ...range, end: '2026-11-25', release: 'v1' })).toThrow(/up to \S+Z$/);
  });
});

describe('A release that was begun', () => {
  const asked = { ...range, release: 'v1' };

  test('is gone on with by the same request, in the range that the source had then', () => {
    expect(resolve(asked, release)).toMatchObject({ range: release.range });
    // Named or not, the formats are the same.
    expect(resolve({ ...asked, formats: ['csv'] }, release)).toMatchObject({ range: release.range });
  });

  test.each<[string, object, Trace, string]>([
    [
      'another range',
      { ...asked, start: '2026-11-04' },
      release,
      'event: start, end: got 2026-11-04T00:00:00Z/2026-11-08T00:00:00Z, but the release was begun with ' +
        '2026-11-03T00:00:00Z/2026-11-08T00:00:00Z; accepted: the same; or choose another name, or delete ' +
        'cloud=aurora-v1 if it is incomplete',
    ],
    [
      'other formats',
      { ...asked, formats: ['parquet'] },
      release,
      'event: formats: got parquet, but the release was begun with csv; accepted: the same; or choose another name, ' +
        'or delete cloud=aurora-v1 if it is incomplete',
    ],
    [
      'another compression',
      { ...asked, compression: 'zstd' },
      release,
      'event: compression: got zstd, but the release was begun with gzip; accepted: the same',
    ],
    [
      'the tables of another deployment',
      asked,
      { ...release, tables: ['instance_events', 'instances'] },
      'STAR_TABLES: got instance_events, but the release was begun with instance_events,instances; accepted: the same',
    ],
    [
      'the name of a scheduled trace',
      asked,
      scheduled('2026-11-10'),
      'event: release: got "v1", but cloud=aurora-v1 is a scheduled trace; accepted: another name',
    ],
    [
      'no release, where the deployment’s own name is one',
      range,
      release,
      'STAR_CLOUD: got "aurora", which is a release; accepted: a name that no release has',
    ],
  ])('refuses %s', (_, event, trace, message) => {
    expect(() => resolve(event, trace)).toThrow(InputError);
    expect(() => resolve(event, trace)).toThrow(message);
  });
});
