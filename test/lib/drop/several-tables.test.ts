import { randomUUID } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { readSettings } from '../../../lib/config/settings.ts';
import { SourceError } from '../../../lib/core/errors.ts';
import { HOUR, MINUTE } from '../../../lib/core/time.ts';
import type { DataPackage } from '../../../lib/drop/data-package.ts';
import { readCheckpoint } from '../../../lib/drop/checkpoint.ts';
import { readClaim } from '../../../lib/drop/claim.ts';
import type { Invocation } from '../../../lib/drop/invocation.ts';
import { keysOf } from '../../../lib/drop/finish.ts';
import { loadWatch } from '../../../lib/report/load-watch.ts';
import { runSchedule } from '../../../lib/schedule/run-schedule.ts';
import { layoutOf } from '../../../lib/store/layout.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import type { AnyTable } from '../../../lib/tables/table.ts';
import { createMasking } from '../../../lib/transform/masking.ts';
import { s3Store } from '../../../lib/store/s3/s3-store.ts';
import { useBucket } from '../../support/bucket.ts';
import { type Drop, listKeys, readDrops, readObject } from '../../support/drops.ts';
import { traceEvent } from '../../support/records.ts';
import { BUCKET } from '../../support/stage.ts';
import { type FakeReader, type FakeSource, fakeSource } from '../../support/tables/fake-source.ts';
import { type OwnerRow, owners } from '../../support/tables/owners.ts';
import { IS_SLOW } from '../../support/slow.ts';

const EVENTS = instanceEvents as AnyTable;
const OWNERS = owners as AnyTable;
const BOTH = [EVENTS, OWNERS];

const START = Date.UTC(2025, 5, 2) / 1000;
const USERS = ['alice', 'bob', 'carol'];
/** The scheduled time at which the n-th hour is the last settled one. */
const timeAfter = (n: number): number => START + (n + 1) * HOUR + 45 * MINUTE;

const place = useBucket();
let trace: string;
let source: FakeSource;
/** Taken by tests to make a reader fail. */
let readers: Record<string, FakeReader>;

beforeEach(() => {
  trace = place.newKey();
  readers = {
    instance_events: ({ window }) =>
      USERS.map((userId, nth) => {
        const start = window.start + nth * MINUTE;
        return traceEvent({ start, finish: start + 5 }, { uuid: randomUUID(), userId });
      }),
    owners: ({ window }): OwnerRow[] =>
      USERS.map((userId, nth) => ({
        userId,
        projectId: nth === 0 ? null : 'project-1',
        since: window.start - nth * MINUTE,
      })),
  };
  source = fakeSource({
    instance_events: (request) => readers['instance_events']?.(request) ?? [],
    owners: (request) => readers['owners']?.(request) ?? [],
  });
});

/** One run of the schedule, as the handler makes it but for the source and the tables. */
async function run(hour: number, tables: readonly AnyTable[] = BOTH, more: Partial<Invocation> = {}) {
  const settings = readSettings({
    ...place.stage.env,
    STAR_PREFIX: trace,
    STAR_WINDOW_MINUTES: '60',
    STAR_FORMATS: 'csv,jsonl,parquet',
  });
  using masking = createMasking('sha2-salted', undefined);
  const invocation: Invocation = {
    run: randomUUID(),
    settings,
    source,
    tables,
    masking,
    openWatch: await loadWatch(settings),
    store: s3Store(place.bucket),
    layout: layoutOf(settings),
    signal: new AbortController().signal,
    log: () => undefined,
    ...more,
  };
  return await runSchedule(invocation, timeAfter(hour), () => 900_000);
}

const stored = () => ({
  store: s3Store(place.bucket),
  layout: layoutOf({ prefix: trace, cloud: 'test' }),
  signal: new AbortController().signal,
});
const drops = (): Promise<Drop[]> => readDrops(place.stage.client, `${trace}/`);
const checkpoint = async () => (await readCheckpoint(stored()))?.checkpoint;
/** Data objects and pages, listed by a manifest or not. */
const dataKeys = async (): Promise<string[]> =>
  (await listKeys(place.stage.client, `${trace}/`)).filter((key) =>
    /owners|instance_events|\.html$|\.datapackage\.json$/.test(key),
  );

/** Both tables are there, all formats, with masks that join. */
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

describe('A drop of several tables', () => {
  test('is one claim, one manifest and one checkpoint, read in one opening of the source', async () => {
    expect(await run(0)).toMatchObject({ status: 'published' });
    const [drop, ...others] = await drops();
    expect(others).toEqual([]);
    expectWhole(drop!);
    const { manifest } = drop!;
    expect(manifest.tables).toMatchObject({
      instance_events: { kind: 'events', counts: { rows: 3, instances: 3 } },
      owners: { kind: 'snapshot', source: 'database', counts: { rows: 3, instances: 3 } },
    });
    expect(await dataKeys()).toEqual(keysOf(manifest).toSorted());
    expect((await readClaim(stored(), stored().layout.claim))?.claim.decided?.checkpoint).toEqual(
      await checkpoint(),
    );
    const state = { source: 'database', begin: START, state: { read: [START + HOUR] } };
    expect((await checkpoint())?.tables).toEqual({ instance_events: state, owners: state });
    expect(source.openings.map((opening) => Object.keys(opening))).toEqual([['instance_events', 'owners']]);
    expect(source.unclosed()).toBe(0);
  });

  test('has in its data package, its page and its files what the made-up table is described by', async () => {
    await run(0);
    const [drop] = await drops();
    const { manifest, tables } = drop!;
    const descriptor = await readObject(place.stage.client, manifest.datapackage.key);
    const { resources } = JSON.parse(descriptor.toString('utf8')) as DataPackage;
    const fields = resources
      .filter(({ path }) => path.includes('/owners'))
      .map(({ schema }) => schema.fields.map(({ name, description }) => `${name}: ${description}`));
    expect(fields).toHaveLength(3);
    expect(fields[0]).toEqual([
      'USER_ID: The user; masked',
      'PROJECT_ID: Project of the user; masked',
      'SINCE_TIME: When the user owned the first server, UTC',
      'SINCE_SEC: The same in whole seconds since the epoch of the trace; -1 where earlier',
    ]);
    expect(tables['owners']?.['csv']?.at(-1)).toMatchObject({
      SINCE_TIME: '2025-06-02T00:00:00',
      PROJECT_ID: '',
    });
    expect(tables['owners']?.['jsonl']?.at(-1)).toMatchObject({
      since_time: '2025-06-02T00:00:00Z',
      project_id: null,
    });
    const page = (await readObject(place.stage.client, manifest.report?.key ?? '')).toString('utf8');
    expect(page).toContain('Tables of the drop');
    expect(manifest.privacy?.scan).toMatchObject({ found: 0 });
  });

  test.each([
    ['the first', 'instance_events'],
    ['the second', 'owners'],
  ])(
    'of which %s table cannot be read is absent as a whole, and brought by the next run',
    async (_, table) => {
      await run(0);
      const before = await dataKeys();
      const works = readers[table]!;
      readers[table] = () => {
        throw new SourceError(`${table}: cannot be read`, { transient: false });
      };
      await expect(run(1)).rejects.toThrow(`${table}: cannot be read`);
      expect(await drops()).toHaveLength(1);
      // Also the table that could be read has left nothing.
      expect(await dataKeys()).toEqual(before);
      expect((await checkpoint())?.window.end).toBe(START + HOUR);
      expect(source.unclosed()).toBe(0);

      readers[table] = works;
      expect(await run(2)).toMatchObject({ status: 'published' });
      const all = await drops();
      expect(all).toHaveLength(3);
      all.forEach(expectWhole);
    },
  );

  test('of which a table fails for a moment is read again, with all its tables', async () => {
    const works = readers['owners']!;
    readers['owners'] = () => {
      readers['owners'] = works;
      throw new SourceError('owners: connection lost', { transient: true });
    };
    expect(await run(0)).toMatchObject({ status: 'published' });
    expect(source.openings.map((opening) => Object.keys(opening))).toEqual([
      ['instance_events', 'owners'],
      ['instance_events', 'owners'],
    ]);
    const [drop] = await drops();
    expectWhole(drop!);
  });
});

describe('A run that dies in a drop of several tables', () => {
  /** A client that gives up at once, as a process does that is gone. */
  const dying = (): S3Client => {
    const { AWS_REGION: region = '', AWS_ENDPOINT_URL_S3: endpoint = '' } = place.stage.env;
    return new S3Client({
      region,
      endpoint,
      credentials: place.stage.client.config.credentials,
      maxAttempts: 1,
    });
  };
  /** Runs an hour until a request that fits, from which on nothing reaches S3. Tells whether it died. */
  async function runUntil(hour: number, fits: (operation: string, key: string) => boolean): Promise<boolean> {
    let isDead = false;
    place.onRequest = ({ operation, key }) => {
      isDead ||= fits(operation, key);
      return isDead ? { reset: true } : undefined;
    };
    const client = dying();
    await run(hour, BOTH, { store: s3Store({ client, name: BUCKET }) }).catch((error: unknown) => {
      if (!isDead) throw error;
    });
    client.destroy();
    place.onRequest = undefined;
    return isDead;
  }

  test('between two tables leaves nothing that is listed; the next run publishes the whole', async () => {
    await run(0);
    const died = await runUntil(1, (operation, key) => operation === 'PutObject' && key.includes('/owners/'));
    expect(died).toBe(true);
    expect(await drops()).toHaveLength(1);
    const claim = (await readClaim(stored(), stored().layout.claim))?.claim;
    expect(claim?.decided).toBeNull();
    // The first table is there, and the claim says who may have written it, and the second.
    const left = (await dataKeys()).filter((key) => key.includes('T010000Z-'));
    expect(left.filter((key) => key.includes('instance_events'))).toHaveLength(3);
    expect(left.filter((key) => key.includes('owners'))).toEqual([]);
    expect(claim?.tried).toEqual(expect.arrayContaining(left));
    expect(claim?.tried.filter((key) => key.includes('owners'))).toHaveLength(3);

    expect(await run(1)).toMatchObject({ status: 'published' });
    const all = await drops();
    expect(all).toHaveLength(2);
    all.forEach(expectWhole);
    expect((await checkpoint())?.tables['owners']?.state).toEqual({ read: [START + HOUR, START + 2 * HOUR] });
  });

  test('between two tables, of which the second is not wanted any more, leaves no file of either', async () => {
    await run(0);
    await runUntil(
      1,
      (operation, key) => operation === 'PutObject' && key.endsWith('.parquet') && key.includes('/owners_'),
    );
    expect(
      (await dataKeys()).filter((key) => key.includes('/owners/') && key.includes('T010000Z-')),
    ).toHaveLength(1);
    await run(1, [EVENTS]);
    const [, second] = await drops();
    expect(Object.keys(second?.manifest.tables ?? {})).toEqual(['instance_events']);
    expect((await dataKeys()).filter((key) => key.includes('owners') && key.includes('T010000Z-'))).toEqual(
      [],
    );
  });

  test('at whichever request leaves a drop that is absent or whole, and the next run makes it whole', async () => {
    let died = true;
    let points = 0;
    for (; died; points += IS_SLOW ? 1 : 4) {
      trace = place.newKey();
      let requests = 0;
      died = await runUntil(0, () => requests++ === points);
      for (const drop of await drops()) expectWhole(drop);
      await run(0);
      const all = await drops();
      expect(all).toHaveLength(1);
      expectWhole(all[0]!);
      expect(Object.keys((await checkpoint())?.tables ?? {})).toEqual(['instance_events', 'owners']);
      expect(await dataKeys()).toEqual(keysOf(all[0]!.manifest).toSorted());
    }
    // Six data objects, a page, trace, claim, decision, manifest and checkpoint at least.
    expect(points).toBeGreaterThan(12);
  });
});

describe('A table of a trace', () => {
  test('that is added later begins with the next window, as a first run of its own', async () => {
    await run(0, [EVENTS]);
    await run(1);
    await run(2);
    const [, added, next] = source.openings;
    expect(added?.['owners']).toMatchObject({ state: undefined, begin: START + HOUR });
    expect(added?.['instance_events']).toMatchObject({ state: { read: [START + HOUR] }, begin: START });
    expect(next?.['owners']).toMatchObject({ state: { read: [START + 2 * HOUR] }, begin: START + HOUR });
    expect((await checkpoint())?.tables).toMatchObject({
      instance_events: { begin: START },
      owners: { begin: START + HOUR },
    });
    expect((await drops()).map(({ manifest }) => Object.keys(manifest.tables))).toEqual([
      ['instance_events'],
      ['instance_events', 'owners'],
      ['instance_events', 'owners'],
    ]);
  });

  test('that is left out of a window loses its state, and begins again when it comes back', async () => {
    await run(0);
    await run(1, [EVENTS]);
    expect(Object.keys((await checkpoint())?.tables ?? {})).toEqual(['instance_events']);
    await run(2);
    expect(source.openings.at(-1)?.['owners']).toMatchObject({ state: undefined, begin: START + 2 * HOUR });
    expect(source.openings.at(-1)?.['instance_events']).toMatchObject({
      state: { read: [START + HOUR, START + 2 * HOUR] },
      begin: START,
    });
    expect((await checkpoint())?.tables['owners']).toMatchObject({
      begin: START + 2 * HOUR,
      state: { read: [START + 3 * HOUR] },
    });
  });
});
