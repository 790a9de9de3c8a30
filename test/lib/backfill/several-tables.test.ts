import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { beginTrace } from '../../../lib/backfill/begin-trace.ts';
import { completeRelease } from '../../../lib/backfill/complete.ts';
import { planBackfill } from '../../../lib/backfill/plan.ts';
import { readRequest, resolveRequest, settingsFor } from '../../../lib/backfill/request.ts';
import { type BackfillProgress, runBackfill } from '../../../lib/backfill/run.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { SourceError } from '../../../lib/core/errors.ts';
import { HOUR, MINUTE, iso } from '../../../lib/core/time.ts';
import { keysOf } from '../../../lib/drop/finish.ts';
import { filesOf } from '../../../lib/drop/manifest.ts';
import type { Invocation } from '../../../lib/drop/invocation.ts';
import { readTrace } from '../../../lib/drop/trace.ts';
import { loadWatch } from '../../../lib/report/load-watch.ts';
import { layoutOf } from '../../../lib/store/layout.ts';
import { s3Store } from '../../../lib/store/s3/s3-store.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import type { AnyTable } from '../../../lib/tables/table.ts';
import { createMasking } from '../../../lib/transform/masking.ts';
import { useBucket } from '../../support/bucket.ts';
import { type Drop, listKeys, readDrops, readObject } from '../../support/drops.ts';
import { traceEvent } from '../../support/records.ts';
import { type FakeReader, type FakeSource, fakeSource } from '../../support/tables/fake-source.ts';
import { type OwnerRow, owners } from '../../support/tables/owners.ts';

const TABLES = [instanceEvents as AnyTable, owners as AnyTable];
const START = Date.UTC(2025, 5, 2) / 1000;
const HOURS = 4;
const USERS = ['alice', 'bob', 'carol'];
const hour = (nth: number): number => START + nth * HOUR;

const place = useBucket();
let prefix: string;
let source: FakeSource;
/** Taken by tests to make a reader fail. */
let readers: Record<'instance_events' | 'owners', FakeReader>;

beforeEach(() => {
  prefix = place.newKey();
  readers = {
    instance_events: ({ window }) =>
      Array.from({ length: HOURS }, (_, nth) => hour(nth))
        .filter((start) => start >= window.start && start < window.end)
        .flatMap((first) =>
          USERS.map((userId, nth) => {
            const start = first + nth * MINUTE;
            return traceEvent({ start, finish: start + 5 }, { uuid: randomUUID(), userId });
          }),
        ),
    owners: ({ window }): OwnerRow[] =>
      USERS.map((userId, nth) => ({
        userId,
        projectId: nth === 0 ? null : 'project-1',
        since: window.start - nth * MINUTE,
      })),
  };
  source = {
    ...fakeSource({
      instance_events: (request) => readers.instance_events(request),
      owners: (request) => readers.owners(request),
    }),
    history: async () => ({ from: START, events: HOURS * USERS.length, purged: null }),
  };
});

/** Where the drops go: into the scheduled trace, or a release. */
function placeOf(release?: string) {
  const deployed = readSettings({
    ...place.stage.env,
    STAR_PREFIX: prefix,
    STAR_WINDOW_MINUTES: '60',
    STAR_FORMATS: 'csv,jsonl,parquet',
  });
  const own = settingsFor({ release, formats: undefined }, deployed);
  const settings = { ...own, tables: TABLES.map(({ name }) => name) };
  const { signal } = new AbortController();
  return { settings, store: s3Store(place.bucket), layout: layoutOf(settings), signal };
}

/** Asks for a backfill, as the handlers do but for the source and the tables. */
async function ask(
  { release }: { readonly release?: string } = {},
  secret: Buffer = randomBytes(32),
): Promise<BackfillProgress & { readonly invocation: Invocation }> {
  const event = { start: iso(hour(0)), end: iso(hour(HOURS)), ...(release && { release }) };
  const asked = readRequest(event);
  const found = placeOf(release);
  // Disposing of the masks clears the bytes.
  using masking = createMasking('sha2-salted', Buffer.from(secret));
  const invocation: Invocation = {
    ...found,
    run: randomUUID(),
    source,
    tables: TABLES,
    masking,
    openWatch: await loadWatch(found.settings),
    log: () => undefined,
  };
  const trace = await readTrace(invocation);
  const request = resolveRequest(asked, trace, found.settings, Date.now() / 1000);
  const plan = await planBackfill(invocation, request);
  await beginTrace(invocation, request, plan, trace, secret);
  const progress = await runBackfill(invocation, request, plan, () => 900_000);
  return { ...progress, invocation };
}

const drops = (cloud = 'test'): Promise<Drop[]> => readDrops(place.stage.client, `${prefix}/cloud=${cloud}/`);
const dataKeys = async (): Promise<string[]> =>
  (await listKeys(place.stage.client, `${prefix}/`)).filter((key) =>
    /\/(owners|instance_events)|report\.html$|Z\.datapackage\.json$/.test(key),
  );

/** Both tables are there, in all formats, with masks that join. */
function expectWhole({ manifest, tables }: Drop): void {
  expect(Object.keys(manifest.tables)).toEqual(['instance_events', 'owners']);
  for (const format of ['csv', 'jsonl', 'parquet']) {
    const user = format === 'csv' ? 'USER_ID' : 'user_id';
    const masks = (table: string) => tables[table]?.[format]?.map((row) => row[user]);
    expect(new Set(masks('instance_events')).size).toBe(USERS.length);
    // Owners are in order of their own: the last user owned a server first.
    expect(masks('owners')).toEqual(masks('instance_events')?.toReversed());
  }
}

describe('A backfill of several tables', () => {
  test('makes drops of all of them, from one pass over the events and a reading of the snapshot for each window', async () => {
    expect((await ask()).left).toEqual([]);
    const all = await drops();
    expect(all).toHaveLength(HOURS);
    all.forEach(expectWhole);
    expect(source.openings).toHaveLength(1);
    expect(source.openings[0]?.['instance_events']?.window).toEqual({ start: hour(0), end: hour(HOURS) });
    // Each from the state that the windows before it gave.
    expect(source.openings[0]?.['owners']).toMatchObject({
      window: { start: hour(3), end: hour(4) },
      state: { read: [hour(1), hour(2), hour(3)] },
    });
    expect(await dataKeys()).toEqual(all.flatMap(({ manifest }) => keysOf(manifest)).toSorted());
    expect(source.unclosed()).toBe(0);
  });

  test.each(['instance_events', 'owners'] as const)(
    'leaves the drop absent as a whole of which %s cannot be read, and makes it when asked again',
    async (table) => {
      const works = readers[table];
      const failing: FakeReader = () => {
        throw new SourceError(`${table}: cannot be read`, { transient: false });
      };
      readers[table] = (request) =>
        request.window.start === hour(2) || table === 'instance_events' ? failing(request) : works(request);
      await expect(ask()).rejects.toThrow(`${table}: cannot be read`);
      const before = await drops();
      expect(before).toHaveLength(table === 'owners' ? 2 : 0);
      // Also the table that could be read has left nothing.
      expect(await dataKeys()).toEqual(before.flatMap(({ manifest }) => keysOf(manifest)).toSorted());
      expect(source.unclosed()).toBe(0);

      readers[table] = works;
      expect((await ask()).done).toHaveLength(HOURS - before.length);
      const all = await drops();
      expect(all.slice(0, before.length)).toEqual(before);
      expect(all).toHaveLength(HOURS);
      all.forEach(expectWhole);
    },
  );

  test('reads a window again with all its tables where one failed for a moment', async () => {
    const works = readers.owners;
    let failed = false;
    readers.owners = (request) => {
      if (failed || request.window.start !== hour(2)) return works(request);
      failed = true;
      throw new SourceError('owners: connection lost', { transient: true });
    };
    expect((await ask()).left).toEqual([]);
    expect(failed).toBe(true);
    // From the start of the range, as it was planned.
    expect(source.openings[1]?.['instance_events']?.window).toEqual({ start: hour(0), end: hour(HOURS) });
    const all = await drops();
    expect(all).toHaveLength(HOURS);
    all.forEach(expectWhole);
  });
});

describe('A release of several tables', () => {
  const range = { release: 'year' };

  test('fixes and proves them all, and its drops join', async () => {
    const secret = randomBytes(32);
    const { invocation } = await ask(range, secret);
    const trace = await readTrace(invocation);
    if (trace?.kind !== 'release') throw new Error('no release was begun');
    expect(trace.tables).toEqual(['instance_events', 'owners']);
    await completeRelease(invocation, trace, TABLES);

    const all = await drops('test-year');
    expect(all).toHaveLength(HOURS);
    all.forEach(expectWhole);
    const masks = all.map(({ tables }) => tables['owners']?.['jsonl']?.map((row) => row['user_id']));
    expect(new Set(masks.map((some) => some?.join())).size).toBe(1);

    const json = async (key: string): Promise<unknown> =>
      JSON.parse((await readObject(place.stage.client, key)).toString('utf8'));
    const rows = HOURS * USERS.length;
    expect(await json(invocation.layout.release)).toMatchObject({
      windows: HOURS,
      tables: { instance_events: { rows, files: 3 * HOURS }, owners: { rows, files: 3 * HOURS } },
    });
    const { resources } = (await json(invocation.layout.datapackage)) as { resources: { path: string }[] };
    const files = all.flatMap(({ manifest }) => filesOf(manifest).map(({ key }) => key));
    expect(resources.map(({ path }) => `${invocation.layout.root}/${path}`).toSorted()).toEqual(
      files.toSorted(),
    );
  });

  test('is not completed with a manifest that another scope, table, format or source has', async () => {
    const { invocation } = await ask(range);
    const trace = await readTrace(invocation);
    if (trace?.kind !== 'release') throw new Error('no release was begun');
    const key = invocation.layout.manifest({ start: hour(0), end: hour(1) });
    for (const [field, came, change] of [
      ['masking.scope', trace.maskingScope, { maskingScope: 'other' }],
      ['tables', 'instance_events,owners', { tables: ['instance_events'] }],
      ['tables.instance_events.files', 'csv gzip, jsonl gzip, parquet none', { formats: ['csv', 'jsonl'] }],
      ['tables.instance_events.files', 'csv gzip, jsonl gzip, parquet none', { compression: 'zstd' }],
      ['tables.instance_events.source', trace.source, { source: 'other' }],
    ] as const) {
      const refused = await completeRelease(invocation, { ...trace, ...change }, TABLES).catch(String);
      expect(refused).toContain(`${key}: ${field}: got ${came}; accepted: `);
    }
    const { release, datapackage } = invocation.layout;
    for (const absent of [release, datapackage])
      expect(await listKeys(place.stage.client, absent)).toEqual([]);
  });

  test('is not complete while the snapshot of one window is missing', async () => {
    const works = readers.owners;
    readers.owners = (request) => {
      if (request.window.start === hour(3)) throw new SourceError('owners: gone', { transient: false });
      return works(request);
    };
    const secret = randomBytes(32);
    await expect(ask(range, secret)).rejects.toThrow('owners: gone');
    const { settings, ...found } = placeOf('year');
    const trace = await readTrace(found);
    if (trace?.kind !== 'release') throw new Error('no release was begun');
    await expect(completeRelease({ ...found, settings }, trace, TABLES)).rejects.toThrow(
      `1 window(s) are missing: ${iso(hour(3))}/${iso(hour(4))}`,
    );
    expect(await listKeys(place.stage.client, found.layout.release)).toEqual([]);

    readers.owners = works;
    expect((await ask(range, secret)).done).toHaveLength(1);
    await completeRelease({ ...found, settings }, trace, TABLES);
    expect(await drops('test-year')).toHaveLength(HOURS);
  });
});
