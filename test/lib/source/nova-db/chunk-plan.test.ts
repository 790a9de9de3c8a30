import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDsn } from '../../../../lib/connection/dsn.ts';
import { SHORT_SPAN } from '../../../../lib/source/nova-db/bounds.ts';
import { type Chunk, type ChunkPlan, planChunks } from '../../../../lib/source/nova-db/chunk-plan.ts';
import { readSchema } from '../../../../lib/source/nova-db/schema.ts';
import { openCell } from '../../../../lib/source/nova-db/session.ts';
import { EVERYTHING } from '../../../../lib/source/nova-db/span.ts';
import { type MariaDb, useMariaDb } from '../../../support/mariadb/index.ts';
import { type Cell, createCell } from '../../../support/nova/schema.ts';
import { sqlTime } from '../../../support/nova/sql-time.ts';

const START = Date.UTC(2025, 5, 2) / 1000;

let db: MariaDb;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());

const numbers = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, nth) => from + nth);

async function fill(
  cell: Cell,
  ids: readonly number[],
  { timeOf = (id: number) => START + id, table = 'instance_actions_events' } = {},
): Promise<void> {
  await cell.query(`INSERT INTO ${table} (id, created_at, start_time) VALUES ?`, [
    ids.map((id) => [id, sqlTime(timeOf(id)), sqlTime(timeOf(id))]),
  ]);
}

/** A plan, and how many statements counted for it. */
async function plan(
  cell: Cell,
  span: { from: number; to: number },
): Promise<{ plan: ChunkPlan; chunks: Chunk[]; statements: number }> {
  const connection = parseDsn(`${cell.dsn()}?ssl=off`, 'dsn', cell.name);
  await using session = await openCell(connection, new AbortController().signal);
  const schema = await readSchema(session);
  let statements = 0;
  const query: typeof session.query = (sql, parameters) => {
    statements++;
    return session.query(sql, parameters);
  };
  const made = await planChunks({ ...session, query }, schema, span, EVERYTHING);
  return { plan: made, chunks: [...made.chunks()], statements };
}

test('a span of more ids than one statement counts is planned whole, in chunks that end at its edges', async () => {
  const cell = await createCell(db, 'cell1');
  const from = 500;
  const edge = from + SHORT_SPAN;
  const to = edge + SHORT_SPAN + 1;
  await fill(cell, [from, from + 1, ...numbers(edge - 600, 1200), to - 1]);
  await fill(cell, [from + 2, edge + 700], { table: 'shadow_instance_actions_events' });

  const found = await plan(cell, { from, to });
  // Three parts of the span, in two tables.
  expect(found.statements).toBe(6);
  expect(found.chunks).toEqual([
    { from, to: edge, rows: [602, 1], watermark: START + edge },
    { from: edge, to, rows: [601, 1], watermark: Infinity },
  ]);
  expect(found.plan).toMatchObject({
    rows: 1205,
    archivedRows: 2,
    earliest: START + from,
    backdated: [0, 0],
  });
});

test('no later chunk has a row before the watermark of a chunk', async () => {
  const cell = await createCell(db, 'cell2');
  // The last row of each thousand is early enough to lie in the thousand before.
  await fill(cell, numbers(1, 4000), { timeOf: (id) => START + (id % 1000 === 999 ? id - 1500 : id) });

  const { plan: made, chunks } = await plan(cell, { from: 1, to: 4001 });
  expect(chunks.map(({ rows }) => rows)).toEqual([
    [999, 0],
    [1000, 0],
    [1000, 0],
    [1000, 0],
    [1, 0],
  ]);
  expect(chunks.map(({ watermark }) => watermark - START)).toEqual([499, 1499, 2499, 4000, Infinity]);
  expect(made.earliest - START).toBe(-501);
});

test('an empty span has no chunks', async () => {
  const cell = await createCell(db, 'cell3');
  const { plan: made, chunks } = await plan(cell, { from: 7, to: 7 });
  expect(chunks).toEqual([]);
  expect(made).toEqual(
    expect.objectContaining({ rows: 0, archivedRows: 0, earliest: Infinity, backdated: [0, 0] }),
  );
});
