import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseDsn } from '../../../../lib/connection/dsn.ts';
import { firstIdAfter, lastIdBefore, readExtent } from '../../../../lib/source/nova-db/bounds.ts';
import { type CellSchema, readSchema } from '../../../../lib/source/nova-db/schema.ts';
import { type CellSession, openCell } from '../../../../lib/source/nova-db/session.ts';
import { type MariaDb, useMariaDb } from '../../../support/mariadb/index.ts';
import { type Random, seeded } from '../../../support/nova/prng.ts';
import { type Cell, createCell } from '../../../support/nova/schema.ts';
import { sqlTime } from '../../../support/nova/sql-time.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 42);
const START = Date.UTC(2025, 5, 2) / 1000;

let db: MariaDb;
let cell: Cell;
let session: CellSession;
let schema: CellSchema;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  cell = await createCell(db, 'cell1');
});
afterEach(async () => {
  await session[Symbol.asyncDispose]();
  await db.query(`DROP DATABASE \`${cell.database}\``);
});

interface Entry {
  id: number;
  created: number;
  archived: boolean;
}

/** Puts the rows in and opens a session that sees them. */
async function fill(entries: readonly Entry[]): Promise<void> {
  for (const archived of [false, true]) {
    const values = entries
      .filter((entry) => entry.archived === archived)
      .map(({ id, created }) => [id, sqlTime(created), sqlTime(created)]);
    const table = `${archived ? 'shadow_' : ''}instance_actions_events`;
    const columns = '(id, created_at, start_time)';
    if (values.length > 0) await cell.pool.query(`INSERT INTO ${table} ${columns} VALUES ?`, [values]);
  }
  session = await openCell(parseDsn(`${cell.dsn()}?ssl=off`, 'dsn', 'cell1'), new AbortController().signal);
  schema = await readSchema(session);
}

/** A history whose times follow the ids but for some seconds; some of it archived, in runs. */
function randomEntries(random: Random, count: number): Entry[] {
  const entries: Entry[] = [];
  let id = random.whole(1, 1000);
  let time = START;
  let archived = false;
  for (let n = 0; n < count; n++) {
    id += random.chance(0.02) ? random.whole(1, 500) : random.pick([1, 1, 3]);
    time += random.chance(0.01) ? random.whole(0, 20_000) : random.whole(0, 60);
    if (random.chance(0.02)) archived = !archived;
    entries.push({ id, created: time, archived: archived !== random.chance(0.05) });
  }
  return entries;
}

const firstAt = (entries: readonly Entry[], time: number): number =>
  Math.min(...entries.filter(({ created }) => created >= time).map(({ id }) => id));
const lastAt = (entries: readonly Entry[], time: number): number =>
  Math.max(...entries.filter(({ created }) => created < time).map(({ id }) => id));

describe('a bisection over the primary key finds where a time begins', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'as a scan from end to end does, in ids of random order of time (%i)',
    async (n) => {
      const random = seeded(SEED + n);
      const entries = randomEntries(random, random.pick([1, 20, 500, 1500]));
      await fill(entries);
      const [first, last] = [entries[0]!, entries.at(-1)!];
      const all = { from: 0, to: last.id + 1 };
      const times = [first.created, last.created, last.created + 1, first.created - 1];
      for (let k = 0; k < 12; k++) times.push(random.whole(first.created, last.created));
      for (const time of times) {
        const after = await firstIdAfter(session.query, schema, time, all);
        const before = await lastIdBefore(session.query, schema, time, all);
        // All of one side lie below, all of the other above: that is all there is to say of ids in order.
        expect(after).toBe(Math.max(all.from, lastAt(entries, time) + 1));
        expect(before).toBeLessThanOrEqual(Math.min(firstAt(entries, time), all.to));
        expect(entries.filter(({ id, created }) => id < before && created >= time)).toEqual([]);
        // The rows looked at together make it a little too low: in one of the tables by no more than those.
        const tooLow = [true, false].map(
          (archived) =>
            entries.filter(
              (entry) =>
                entry.archived === archived && entry.id >= before && entry.id < firstAt(entries, time),
            ).length,
        );
        expect(Math.min(...tooLow)).toBeLessThanOrEqual(32);
      }
    },
  );

  test.each([1, 2, 3, 4])(
    'with rows out of place by seconds and by weeks no row in place is left out (%i)',
    async (n) => {
      const random = seeded(SEED + 100 + n);
      const entries = randomEntries(random, 800);
      const inPlace = entries.map(({ created }) => created);
      for (const entry of entries) {
        entry.created += random.whole(-3, 3);
        if (random.chance(0.01)) entry.created += random.pick([-1, 1]) * random.whole(1, 400) * 86_400;
      }
      await fill(entries);
      const all = { from: 0, to: entries.at(-1)!.id + 1 };
      for (let k = 0; k < 15; k++) {
        const time = random.whole(inPlace[0]!, inPlace.at(-1)!);
        const after = await firstIdAfter(session.query, schema, time, all);
        const before = await lastIdBefore(session.query, schema, time, all);
        // A few seconds are what the callers' margin is for.
        const lost = entries.filter(({ id }, at) => id >= after && inPlace[at]! < time - 10);
        expect(lost).toEqual([]);
        expect(entries.filter(({ id }, at) => id < before && inPlace[at]! > time + 10)).toEqual([]);
      }
    },
  );

  test('within bounds that hold nothing it stays there', async () => {
    await fill([]);
    const none = { from: 7, to: 7 };
    expect(await firstIdAfter(session.query, schema, START, none)).toBe(7);
    expect(await lastIdBefore(session.query, schema, START, { from: 0, to: 1 })).toBe(0);
    expect(await readExtent(session.query, schema)).toEqual({
      endId: 1,
      newestCreated: null,
      reached: null,
      oldestStart: null,
    });
  });

  test('in some thirty lookups, however many ids there are', async () => {
    await fill([
      { id: 1, created: START, archived: true },
      { id: 2 ** 31 - 1, created: START + 100, archived: false },
    ]);
    let lookups = 0;
    const query: CellSession['query'] = (sql, parameters) => {
      lookups++;
      return session.query(sql, parameters);
    };
    expect(await firstIdAfter(query, schema, START + 50, { from: 0, to: 2 ** 31 })).toBe(2);
    expect(lookups).toBeLessThanOrEqual(2 * 32);
  });
});

test('the extent is that of live and archived events together', async () => {
  await fill([
    { id: 5, created: START + 500, archived: true },
    { id: 9, created: START + 900, archived: false },
    { id: 12, created: START + 1200, archived: true },
  ]);
  expect(await readExtent(session.query, schema)).toEqual({
    endId: 13,
    newestCreated: START + 1200,
    // Three of the newest rows may have a clock that is ahead.
    reached: START + 500,
    oldestStart: START + 500,
  });
});
