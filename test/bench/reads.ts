import type { MariaDb } from '../support/mariadb/index.ts';

/** What the server counted, by the counter's name: every `Handler_read…`, and `Rows_read`. */
export type Reads = ReadonlyMap<string, number>;

/** Reads of `work`, on a server that serves nobody else meanwhile. */
export async function readsOf(db: MariaDb, work: () => Promise<void>): Promise<Reads> {
  const first = await counters(db);
  const before = await counters(db);
  await work();
  const after = await counters(db);
  // Asking for the counters counts too, and always the same.
  const difference = (name: string): number => {
    const [f, b, a] = [first, before, after].map((values) => values.get(name) ?? 0);
    return (a ?? 0) - (b ?? 0) - ((b ?? 0) - (f ?? 0));
  };
  return new Map([...after.keys()].map((name) => [name, difference(name)]));
}

/** All rows that storage engines were asked for, by index or by scan, in tables and temporary ones. */
export function totalOf(reads: Reads): number {
  return [...reads].reduce((sum, [name, count]) => sum + (name === 'Rows_read' ? 0 : count), 0);
}

async function counters(db: MariaDb): Promise<Reads> {
  const rows = await db.query(
    "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Rows_read'",
  );
  return new Map(rows.map((row) => [String(row['Variable_name']), Number(row['Value'])]));
}
