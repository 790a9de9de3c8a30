import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesOf } from '../../lib/drop/manifest.ts';
import type { BackfillSummary } from '../../lib/backfill/summary.ts';
import { DAY, HOUR, MINUTE, iso } from '../../lib/core/time.ts';
import { type Drop, eventsOf, listKeys, readDrops } from '../support/drops.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { compareWithTruth } from '../support/nova/compare.ts';
import { replay } from '../support/nova/history.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { EQUAL, type BothSources, startBothSources, without } from '../support/nova/both-sources.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import { upsert } from '../support/nova/rows.ts';
import { UNMASKED } from '../support/nova/scene.ts';
import { IS_SLOW } from '../support/slow.ts';
import { type Stage, startStage } from '../support/stage.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_126);
const START = Date.UTC(2026, 8, 1) / 1000;
const DAYS = IS_SLOW ? 12 : 7;

let db: MariaDb;
let both: BothSources;
let stage: Stage;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  both = await startBothSources(db);
  stage = both.fromDatabase;
});
afterEach(() => both.stop());

const day = (nth: number): number => START + nth * DAY;
const date = (nth: number): string => iso(day(nth)).slice(0, 10);

/** All that has happened, at once. */
async function happen(options: { archiveAt?: (day: number) => number } = {}): Promise<void> {
  const mix = { rescheduled: 0, moves: 0 };
  const { changes } = randomHistory({
    seed: SEED,
    start: START,
    days: DAYS,
    eventsPerDay: 120,
    mix,
    ...options,
  });
  await replay(both.cells, changes).applyUntil(day(DAYS + 2));
  both.now = day(DAYS + 2);
}

function rowsOf(drops: readonly Drop[]): string[] {
  return drops.flatMap(({ rows }) => (rows['jsonl'] ?? []).map((row) => JSON.stringify(row)));
}

/** Every event that finished in these days is in the drops, once, in the window in which it finished. */
async function expectExactly(from: number, until: number): Promise<Drop[]> {
  const drops = await readDrops(stage.client);
  const truth = (await finishedEvents(both.cells, day(until))).filter(
    (row) => Date.parse(`${String(row['finish_time'])}Z`) / 1000 >= day(from),
  );
  expect(truth.length).toBeGreaterThan(100);
  expect(compareWithTruth(drops, truth)).toEqual({ onlyInDrops: [], onlyInDatabase: [] });
  for (const { manifest, rows } of drops) {
    for (const row of rows['jsonl'] ?? []) {
      expect(String(row['finish_time']) >= manifest.window.start).toBe(true);
      expect(String(row['finish_time']) < manifest.window.end).toBe(true);
    }
    const starts = (rows['jsonl'] ?? []).map((row) => String(row['start_time']));
    expect(starts).toEqual(starts.toSorted());
  }
  return drops;
}

describe(`A backfill (seed ${SEED})`, () => {
  test('equals a plain select, and the union of what a schedule drops day by day', async () => {
    const mix = { rescheduled: 0, moves: 0 };
    const history = randomHistory({ seed: SEED, start: START, days: DAYS, eventsPerDay: 120, mix });
    await both.live(
      history.changes,
      Array.from({ length: DAYS }, (_, nth) => day(nth + 1) + 45 * MINUTE),
    );
    const another = await startStage({ env: UNMASKED });
    try {
      const scheduled = await readDrops(stage.client);
      await another.setSecret(await secretOfCells());
      await replay(both.cells, []).applyUntil(day(DAYS + 2));
      const summary = await another.backfill({ start: date(0), end: date(DAYS) });
      expect(summary).toMatchObject({ status: 'published', windows: DAYS, left: [] });
      const backfilled = await readDrops(another.client);
      const [left, right] = [rowsOf(scheduled), rowsOf(backfilled)];
      expect({ onlyInDatabase: without(left, right), onlyOverApi: without(right, left) }).toEqual(EQUAL);
    } finally {
      await another.stop();
    }
  });

  test('reads archived history as well, over long spans', async () => {
    await happen({ archiveAt: (nth) => day(nth) + 10 * MINUTE });
    const summary = await stage.backfill({ start: date(0), end: date(DAYS) });
    expect(summary.done).toHaveLength(DAYS);
    expect(summary.rows).toBe(
      (await expectExactly(0, DAYS)).reduce((sum, { manifest }) => sum + eventsOf(manifest).counts.rows, 0),
    );
  });

  test('of a part takes what finished in it, whenever that began, and nothing else', async () => {
    await happen();
    await stage.backfill({ start: date(4), end: date(8) });
    expect(await expectExactly(4, 8)).toHaveLength(4);
  });

  test('over a fake of the API gives the same', async () => {
    await happen();
    await stage.backfill({ start: date(2), end: date(9) });
    const fromDatabase = rowsOf(await readDrops(stage.client));
    await both.overApi.backfill({ start: date(2), end: date(9) });
    const drops = await readDrops(both.overApi.client);
    const overApi = rowsOf(drops);
    expect(without(overApi, fromDatabase)).toEqual([]);
    // In a made-up history events go on for days after their server was deleted; nobody knows of them at the start.
    const outlived = new Set<unknown>();
    for (const cell of both.cells) {
      const deleted = await cell.query('SELECT uuid FROM instances WHERE deleted_at < ?', [sqlTime(day(1))]);
      for (const { uuid } of deleted) outlived.add(uuid);
    }
    const missing = without(fromDatabase, overApi).map((row) => (JSON.parse(row) as { uuid: string }).uuid);
    expect(missing.filter((uuid) => !outlived.has(uuid))).toEqual([]);
    for (const { manifest } of drops) expect(eventsOf(manifest).api?.unseen).toContain('archivedServers');
  });

  test('that runs out of time says what is left, and asking again completes it, nothing twice', async () => {
    await happen();
    const event = { start: date(0), end: date(DAYS) };
    const published: string[] = [];
    const answers: string[] = [];
    both.onS3Request = async () => {
      await delay(25);
    };
    // Of this a quarter is kept free for the end. A busy machine needs more to get anywhere.
    let lifetime = 2500;
    while (answers.at(-1) !== 'published') {
      const summary: BackfillSummary | Error = await stage
        .backfill(event, lifetime)
        .catch((error: Error) => error);
      answers.push(summary instanceof Error ? summary.name : summary.status);
      if (summary instanceof Error) {
        lifetime *= 1.25;
        continue;
      }
      for (const { window, status } of summary.done) if (status === 'published') published.push(window);
    }
    expect(answers.filter((answer) => !['unfinished', 'DeadlineError'].includes(answer))).toEqual([
      'published',
    ]);
    expect(answers).toContain('unfinished');
    expect(published).toEqual([...new Set(published)]);
    expect(await expectExactly(0, DAYS)).toHaveLength(DAYS);
  });

  test('masks alike in all its windows, and unlike another backfill', async () => {
    await happen();
    for (const name of ['STAR_MASKING', 'STAR_ALLOW_UNSAFE_MASKING']) delete stage.env[name];
    await stage.backfill({ start: date(0), end: date(5) });
    await stage.backfill({ start: date(5), end: date(8) });
    const drops = await readDrops(stage.client);
    const scopes = drops.map(({ manifest }) => manifest.masking.scope);
    expect(new Set(scopes.slice(0, 5)).size).toBe(1);
    expect(new Set(scopes.slice(5)).size).toBe(1);
    expect(new Set(scopes).size).toBe(2);
    const users = drops.map(({ rows }) => new Set((rows['jsonl'] ?? []).map((row) => row['user_id'])));
    expect(users[0]?.intersection(users[4] ?? new Set()).size).toBeGreaterThan(0);
    expect(users[4]?.intersection(users[5] ?? new Set()).size).toBe(0);
  });

  test('leaves alone what is published, also in another format', async () => {
    await happen();
    await stage.backfill({ start: date(3), end: date(5) });
    const before = await readDrops(stage.client);
    stage.env['STAR_FORMATS'] = 'csv,jsonl';
    const again = await stage.backfill({ start: date(2), end: date(6) });
    expect(again).toMatchObject({
      status: 'published',
      alreadyPublished: 2,
      message: '2 window(s) published, 2 were already',
    });
    expect(again.done.map(({ window }) => window.slice(0, 10))).toEqual([date(2), date(5)]);
    const drops = await expectExactly(2, 6);
    expect(drops.slice(1, 3)).toEqual(before);
    expect(drops.map(({ manifest }) => filesOf(manifest).length)).toEqual([2, 1, 1, 2]);
  });

  test('that broke off is finished by asking again for the same, whichever of its writes failed', async () => {
    await happen();
    const event = { start: date(0), end: date(6) };
    const broken = [/manifests\/date=.*-02.*json$/, /claims\/20260904/, /jsonl\/date=2026-09-05/];
    for (const [nth, pattern] of broken.entries()) {
      both.onS3Request = ({ operation, key }) =>
        operation === 'PutObject' && pattern.test(key) ? { status: 403, code: 'AccessDenied' } : undefined;
      await expect(stage.backfill(event)).rejects.toMatchObject({ name: 'StoreError' });
      // What is published stays; a window that was decided is not begun again.
      expect(await readDrops(stage.client)).toHaveLength([1, 3, 4][nth] ?? 0);
    }
    both.onS3Request = undefined;
    const summary = await stage.backfill(event);
    expect(summary).toMatchObject({ status: 'published', left: [] });
    expect(await expectExactly(0, 6)).toHaveLength(6);
    expect(await stage.backfill(event)).toMatchObject({
      done: [],
      alreadyPublished: 6,
    });
  });

  test('before a schedule, whenever it is asked for, makes with it every event once', async () => {
    both.set({ STAR_WINDOW_MINUTES: '60' });
    const mix = { rescheduled: 0, moves: 0, veryLateFinish: 0.3 };
    const { changes } = randomHistory({ seed: SEED, start: START, days: 4, eventsPerDay: 240, mix });
    const history = replay(both.cells, changes);
    const hour = (nth: number): number => START + nth * HOUR;
    const live = async (nth: number): Promise<void> => {
      await history.applyUntil(hour(nth) + 45 * MINUTE);
      both.now = hour(nth) + 45 * MINUTE;
      await stage.run(both.now);
    };
    // It begins with the 29th hour.
    for (const nth of [30, 31, 36, 47]) await live(nth);
    await expect(stage.backfill({ start: iso(hour(0)), end: iso(hour(30)) })).rejects.toThrow(
      `the trace begins at ${iso(hour(29))}`,
    );
    await history.applyUntil(hour(55));
    await stage.backfill({ start: iso(hour(20)), end: iso(hour(29)) });
    await live(56);
    await stage.backfill({ start: iso(hour(0)), end: iso(hour(29)) });
    await live(72);
    const drops = await readDrops(stage.client);
    expect(drops).toHaveLength(72);
    expect(compareWithTruth(drops, await finishedEvents(both.cells, hour(72)))).toEqual({
      onlyInDrops: [],
      onlyInDatabase: [],
    });
    // What the schedule found of before is in the drops of the backfill, and nowhere else.
    const of = (count: 'late' | 'beforeBegin'): number[] =>
      drops.map(({ manifest }) => eventsOf(manifest).counts[count] ?? Number.NaN);
    expect(of('beforeBegin').slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 0));
    expect(of('beforeBegin').reduce((a, b) => a + b)).toBeGreaterThan(5);
    expect(of('late').reduce((a, b) => a + b)).toBeGreaterThan(5);
  });

  test('over a fake of the API goes with a schedule of the same, and they double nothing', async () => {
    const { overApi } = both;
    const mix = { rescheduled: 0, moves: 0, veryLateFinish: 0.3 };
    const history = randomHistory({ seed: SEED, start: START, days: 6, eventsPerDay: 120, mix });
    await both.live(
      history.changes,
      [3, 4, 6].map((nth) => day(nth) + 45 * MINUTE),
    );
    await overApi.backfill({ start: date(0), end: date(2) });
    const drops = await readDrops(overApi.client);
    expect(drops).toHaveLength(6);
    const truth = await finishedEvents(both.cells, day(6));
    expect(compareWithTruth(drops, truth).onlyInDrops).toEqual([]);
    expect(drops.map(({ manifest }) => eventsOf(manifest).counts.beforeBegin)).toEqual([
      0,
      0,
      null,
      null,
      null,
      null,
    ]);
  });

  test('reports what the source has no more, and publishes no empty days for it', async () => {
    await happen();
    const summary = await stage.backfill({ start: '2026-08-25', end: date(2) });
    expect(summary.beforeHistory).toEqual([`2026-08-25T00:00:00Z/${iso(START)}`]);
    expect(summary.done).toHaveLength(2);
    expect(summary.message).toMatch(/no longer has 7 window\(s\)/);
    expect(await readDrops(stage.client)).toHaveLength(2);
  });

  test('of what the source has no more begins no trace, and claims nothing', async () => {
    await happen();
    const summary = await stage.backfill({ start: '2026-08-25', end: date(0) });
    expect(summary).toMatchObject({
      status: 'published',
      done: [],
      beforeHistory: [`2026-08-25T00:00:00Z/${iso(START)}`],
      message: '0 window(s) published; the source no longer has 7 window(s)',
    });
    expect(await listKeys(stage.client)).toEqual([]);
  });

  test('of a source that has nothing publishes nothing', async () => {
    const summary = await stage.backfill({ start: date(0), end: date(3) });
    expect(summary).toMatchObject({ status: 'published', done: [] });
    expect(summary.beforeHistory).toEqual([`${iso(day(0))}/${iso(day(3))}`]);
    expect(await listKeys(stage.client)).toEqual([]);
  });

  test('that is a dry run tells what would be done, and does nothing', async () => {
    await happen();
    const summary = await stage.backfill({ start: date(0), end: date(DAYS), dryRun: true });
    const rows = (await finishedEvents(both.cells, day(DAYS))).length;
    expect(summary).toMatchObject({
      status: 'planned',
      windows: DAYS,
      done: [],
      left: [`${iso(START)}/${iso(day(DAYS))}`],
    });
    const { expected } = summary;
    expect(summary.message).toBe(`${DAYS} window(s) would be published, with about ${expected} event(s)`);
    expect(Math.abs((expected ?? 0) - rows) / rows).toBeLessThan(0.15);
    const release = { start: date(0), end: date(DAYS), release: 'one', dryRun: true };
    expect(await stage.backfill(release)).toMatchObject({ status: 'planned', cloud: 'test-one' });
    expect(await listKeys(stage.client)).toEqual([]);
  });
});

describe('Groups that are planned together', () => {
  /** One event of a server that is there, with stamps of their own and the next free ids. */
  async function event(id: number, name: string, start: number, seconds = 10): Promise<void> {
    const cell = both.cells[0]!;
    const times = { created_at: sqlTime(start), start_time: sqlTime(start), deleted: 0 };
    await upsert(cell, 'instance_actions', [
      {
        id,
        action: name,
        instance_uuid: SERVER,
        request_id: `req-${id}`,
        updated_at: sqlTime(start),
        ...times,
      },
    ]);
    const finish = { finish_time: sqlTime(start + seconds), result: 'Success', host: 'cmp-1' };
    await upsert(cell, 'instance_actions_events', [{ id, action_id: id, event: name, ...times, ...finish }]);
  }
  const SERVER = '5c3e0000-0000-4000-a000-000000000001';

  test('lose nothing that conductors with wrong clocks have written about their edge', async () => {
    stage.env['STAR_WINDOW_MINUTES'] = '60';
    stage.env['STAR_BACKFILL_SECRETS'] = 'test/backfill';
    const sizes = { memory_mb: 2048, root_gb: 20, vcpus: 2, ephemeral_gb: 0 };
    const names = {
      hostname: 'server',
      user_id: 'user',
      project_id: 'project',
      host: 'cmp-1',
      node: 'cmp-1',
    };
    const row = {
      id: 1,
      uuid: SERVER,
      created_at: sqlTime(START),
      deleted: 0,
      hidden: 0,
      ...names,
      ...sizes,
    };
    await upsert(both.cells[0]!, 'instances', [row]);
    // The edge of two groups is at the 31st hour. Ids follow the time of insertion, stamps do not.
    const hour = (time: number): number => START + time * HOUR;
    let id = 0;
    for (let time = 0; time < 40; time += 0.05) {
      await event(++id, 'regular', hour(time));
      if (Math.abs(time - 30.05) < 0.01) await event(++id, 'ahead', hour(32.5));
      if (Math.abs(time - 29.5) < 0.01) await event(++id, 'far ahead', hour(38));
      if (Math.abs(time - 31.5) < 0.01) await event(++id, 'behind', hour(30.8));
      if (Math.abs(time - 33) < 0.01) await event(++id, 'far behind', hour(3));
      if (Math.abs(time - 2) < 0.01) await event(++id, 'long', hour(2), 35 * HOUR);
    }
    const request = { start: iso(hour(0)), end: iso(hour(40)) };
    const plan = (await stage.step('plan', { plan: request, execution: 'one' })) as {
      groups: object[];
    };
    expect(plan.groups).toHaveLength(2);
    for (const group of plan.groups) await stage.step('windows', { group, request, execution: 'one' });
    const drops = await readDrops(stage.client);
    const truth = await finishedEvents(both.cells, hour(40));
    expect(truth.length).toBeGreaterThan(800);
    expect(compareWithTruth(drops, truth)).toEqual({ onlyInDrops: [], onlyInDatabase: [] });
    for (const { manifest, rows } of drops) {
      for (const one of rows['jsonl'] ?? [])
        expect(String(one['finish_time']) >= manifest.window.start).toBe(true);
    }
  });
});

/** The secret of the databases, as the both has made it. */
async function secretOfCells(): Promise<string> {
  const dsns = Object.fromEntries(both.cells.map((cell) => [cell.name, cell.dsn()]));
  return JSON.stringify({ cells: dsns, ssl: 'off' });
}
