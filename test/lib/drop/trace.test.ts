import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { takeClaim } from '../../../lib/drop/claim.ts';
import type { Place } from '../../../lib/drop/place.ts';
import {
  type ReleaseTrace,
  type ScheduledTrace,
  type Trace,
  createTrace,
  readTrace,
} from '../../../lib/drop/trace.ts';
import { DAY, HOUR } from '../../../lib/core/time.ts';
import { useBucket } from '../../support/bucket.ts';
import { BUCKET } from '../../support/stage.ts';

const BEGIN = Date.UTC(2026, 10, 22) / 1000;
const window = { start: BEGIN, end: BEGIN + DAY };

const place = useBucket();
let trace: Place;

beforeEach(() => {
  trace = place.newTrace();
  place.key = trace.layout.trace;
});

const scheduled: ScheduledTrace = { kind: 'scheduled', begin: BEGIN, windowSeconds: HOUR };
const release: ReleaseTrace = {
  kind: 'release',
  range: { start: BEGIN - 7 * DAY, end: BEGIN },
  windowSeconds: DAY,
  tables: ['instance_events'],
  formats: ['csv', 'parquet'],
  compression: 'gzip',
  source: 'database',
  maskingScope: '0123456789abcdef',
  settings: 'ff'.repeat(32),
};
const create = (what: Trace): Promise<Trace> => createTrace(trace, 'test', what);
const forget = (key: string): Promise<unknown> =>
  place.stage.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));

describe('trace.json', () => {
  test.each([scheduled, release])('of kind $kind is read as it was written', async (what) => {
    expect(await readTrace(trace)).toBeUndefined();
    expect(await create(what)).toEqual(what);
    expect(await readTrace(trace)).toEqual(what);
  });

  test('says its version, cloud, kind, begin and length of windows in words of its own', async () => {
    await create(scheduled);
    expect(JSON.parse(await place.text())).toEqual({
      traceVersion: 1,
      cloud: 'test',
      windowMinutes: 60,
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
      kind: 'scheduled',
      begin: '2026-11-22T00:00:00Z',
    });
  });

  test('is created by one run of many, and all others read what that one wrote', async () => {
    const wanted = [0, 1, 2, 3].map((nth) => ({ ...scheduled, begin: BEGIN + nth * HOUR }));
    const found = await Promise.all(wanted.map(create));
    const stored = await readTrace(trace);
    expect(wanted).toContainEqual(stored);
    expect(found).toEqual(wanted.map(() => stored));
  });

  test('of another kind that came first is what the loser is given, and it stays', async () => {
    await create(release);
    const before = await place.text();
    expect(await create(scheduled)).toEqual(release);
    expect(await place.text()).toBe(before);
  });

  test('whose writer lost the answer is its own', async () => {
    place.loseNextAnswer();
    expect(await create(scheduled)).toEqual(scheduled);
    expect(await readTrace(trace)).toEqual(scheduled);
  });

  test('that is removed between a lost race and its reading is told, and nothing is fixed', async () => {
    await create(release);
    place.onRequest = async ({ operation, key }) => {
      if (operation !== 'GetObject' || key !== trace.layout.trace) return;
      // The answer of the refused write compares what is there first.
      place.onRequest = undefined;
      await forget(trace.layout.trace);
    };
    await expect(create(scheduled)).rejects.toMatchObject({
      name: 'StoreError',
      message: `trace: ${trace.layout.trace}: was removed while this run began it`,
    });
  });

  test('that is gone, with no claim there, is as if nobody had begun the trace', async () => {
    await create(scheduled);
    await forget(trace.layout.trace);
    expect(await readTrace(trace)).toBeUndefined();
    const other = { ...scheduled, begin: BEGIN + DAY };
    expect(await create(other)).toEqual(other);
  });

  test.each([
    ['the schedule’s claim', (of: Place) => of.layout.claim],
    ['the claim of a window of a backfill', (of: Place) => of.layout.windowClaim(window)],
  ])('that is gone while %s is there has to be brought back', async (_, keyOf) => {
    await takeClaim(trace, keyOf(trace), { run: 'me', window, keys: [] }, undefined);
    await expect(readTrace(trace)).rejects.toMatchObject({
      name: 'StoreError',
      message:
        `trace: ${trace.layout.trace}: is gone, but the trace has claims; bring it back ` +
        '(the bucket keeps old versions)',
    });
  });
});

test('A trace that another run begins between a look for trace.json and one for claims is that run’s', async () => {
  let isMet = false;
  place.onRequest = async ({ operation, key }) => {
    if (operation !== 'GetObject' || key !== trace.layout.claim || isMet) return;
    isMet = true;
    await create(scheduled);
    await takeClaim(trace, trace.layout.claim, { run: 'other', window, keys: [] }, undefined);
  };
  expect(await readTrace(trace)).toEqual(scheduled);
  expect(isMet).toBe(true);
});

describe('what is stored as trace.json', () => {
  const common = { traceVersion: 1, cloud: 'test', windowMinutes: 60, created: '2026-11-22T00:45:00Z' };
  const good = { ...common, kind: 'scheduled', begin: '2026-11-22T00:00:00Z' };
  const text = { start: '2026-11-15T00:00:00Z', end: '2026-11-22T00:00:00Z' };
  const { kind, tables, formats, compression, source, maskingScope, settings } = release;
  const goodRelease = {
    ...common,
    kind,
    range: text,
    tables,
    formats,
    compression,
    source,
    maskingScope,
    settings,
  };

  test('is accepted as version 1 writes it', async () => {
    await place.put(JSON.stringify(good));
    expect(await readTrace(trace)).toEqual(scheduled);
    await place.put(JSON.stringify(goodRelease));
    expect(await readTrace(trace)).toMatchObject({ kind: 'release', windowSeconds: HOUR });
  });

  test.each<[string, unknown, string]>([
    ['no JSON', undefined, ''],
    ['a list', [], ''],
    ['of another version', { ...good, traceVersion: 2 }, 'traceVersion'],
    ['of a kind that is not known', { ...good, kind: 'live' }, 'kind'],
    ['without a cloud', { ...good, cloud: undefined }, 'cloud'],
    ['without begin', { ...good, begin: undefined }, 'begin'],
    ['with a begin that is no time', { ...good, begin: 'noon' }, 'begin'],
    ['with windows of no length', { ...good, windowMinutes: '60' }, 'windowMinutes'],
    ['with more', { ...good, more: 1 }, ''],
    ['a release without its range', { ...goodRelease, range: undefined }, 'range'],
    [
      'a release with a range that ends at no time',
      { ...goodRelease, range: { ...text, end: 1 } },
      'range.end',
    ],
    ['a release without its scope', { ...goodRelease, maskingScope: undefined }, 'maskingScope'],
    ['a release without its settings', { ...goodRelease, settings: undefined }, 'settings'],
    ['a release with a begin', { ...goodRelease, begin: good.begin }, ''],
  ])('%s is refused', async (_, stored, field) => {
    await place.put(stored === undefined ? '{"traceVersion"' : JSON.stringify(stored));
    const before = await place.text();
    const refusal = {
      name: 'StoreError',
      message: `trace: ${place.key}: ${field}: not what version 1 wrote; was it edited, or made by a newer one?`,
    };
    await expect(readTrace(trace)).rejects.toMatchObject(refusal);
    await expect(create(scheduled)).rejects.toMatchObject(refusal);
    expect(await place.text()).toBe(before);
  });
});
