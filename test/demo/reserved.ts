import { HOUR, type Seconds, iso } from '../../lib/core/time.ts';
import type { Drop } from '../support/drops.ts';
import { count } from './text.ts';

/** How much was reserved at noon of a drop's day, from that drop alone. */
export function reservedLine(drop: Drop): string {
  const noon = Date.parse(drop.manifest.window.start) / 1000 + 12 * HOUR;
  const running = rowsOf(drop, 'leases').filter(
    (row) =>
      (seconds(row['started_time']) ?? Infinity) <= noon &&
      (seconds(row['ended_time']) ?? seconds(row['deleted_time']) ?? Infinity) > noon,
  );
  const reserved = running.reduce((sum, row) => sum + Number(row['nodes'] ?? 0), 0);
  const nodes = rowsOf(drop, 'machines').filter(
    (row) =>
      row['enabled'] === true &&
      (seconds(row['created_time']) ?? 0) <= noon &&
      (seconds(row['deleted_time']) ?? Infinity) > noon,
  ).length;
  const share = nodes === 0 ? 'no node is enabled' : `${((reserved / nodes) * 100).toFixed(1)} % reserved`;
  return `at ${iso(noon)}: ${count(running.length)} leases with ${count(reserved)} of ${count(nodes)} nodes, ${share}`;
}

function rowsOf({ tables }: Drop, table: string): Record<string, unknown>[] {
  return tables[table]?.['jsonl'] ?? [];
}

function seconds(value: unknown): Seconds | null {
  return typeof value === 'string' ? Date.parse(value) / 1000 : null;
}
