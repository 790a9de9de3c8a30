import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDsn } from '../../../../lib/connection/dsn.ts';
import { planChunks } from '../../../../lib/source/nova-db/chunk-plan.ts';
import { readSchema } from '../../../../lib/source/nova-db/schema.ts';
import { openCell } from '../../../../lib/source/nova-db/session.ts';
import { EVERYTHING } from '../../../../lib/source/nova-db/span.ts';
import { type MariaDb, useMariaDb } from '../../../support/mariadb/index.ts';
import { createCell } from '../../../support/nova/schema.ts';
import { sqlTime } from '../../../support/nova/sql-time.ts';

const START = Date.UTC(2025, 5, 2) / 1000;
/** As many ids as one statement looks at. */
const SCAN = 5_000_000;

let db: MariaDb;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());

test('a span of more ids than one statement counts is planned whole', async () => {
  const cell = await createCell(db, 'cell1');
  const live = [10, 11, SCAN + 9, SCAN + 10, 2 * SCAN + 500];
  const archived = [12, SCAN + 8, 3 * SCAN];
  const rows = (ids: readonly number[]) => [ids.map((id) => [id, sqlTime(START + id), sqlTime(START + id)])];
  const columns = '(id, created_at, start_time)';
  await cell.query(`INSERT INTO instance_actions_events ${columns} VALUES ?`, rows(live));
  await cell.query(`INSERT INTO shadow_instance_actions_events ${columns} VALUES ?`, rows(archived));

  await using session = await openCell(
    parseDsn(`${cell.dsn()}?ssl=off`, 'dsn', 'cell1'),
    new AbortController().signal,
  );
  const schema = await readSchema(session);
  const plan = await planChunks(session, schema, { from: 10, to: 3 * SCAN + 1 }, EVERYTHING);
  // A few rows are read at once, wherever they are.
  expect([...plan.chunks()]).toEqual([{ from: 10, to: 3 * SCAN + 1, rows: [5, 3], watermark: Infinity }]);
  expect(plan).toMatchObject({ rows: 8, archivedRows: 3, earliest: START + 10, backdated: [0, 0] });
});

test('no later chunk has a row before the watermark of a chunk', async () => {
  const cell = await createCell(db, 'cell2');
  const columns = '(id, created_at, start_time)';
  // Of each thousand rows the last starts before all rows of the thousand before.
  const time = (id: number): string => sqlTime(START + (id % 1000 === 999 ? id - 1500 : id));
  const all = Array.from({ length: 4000 }, (_, nth) => nth + 1);
  await cell.query(`INSERT INTO instance_actions_events ${columns} VALUES ?`, [
    all.map((id) => [id, time(id), time(id)]),
  ]);

  await using session = await openCell(
    parseDsn(`${cell.dsn()}?ssl=off`, 'dsn', 'cell2'),
    new AbortController().signal,
  );
  const schema = await readSchema(session);
  const plan = await planChunks(session, schema, { from: 1, to: 4001 }, EVERYTHING);
  const chunks = [...plan.chunks()];
  expect(chunks.map(({ rows }) => rows)).toEqual([
    [999, 0],
    [1000, 0],
    [1000, 0],
    [1000, 0],
    [1, 0],
  ]);
  expect(chunks.map(({ watermark }) => watermark - START)).toEqual([499, 1499, 2499, 4000, Infinity]);
  expect(plan.earliest - START).toBe(-501);
});
