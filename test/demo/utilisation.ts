import { HOUR, type Seconds, iso } from '../../lib/core/time.ts';
import type { Drop } from '../support/drops.ts';
import { count } from './text.ts';

/** What was in use at noon of a drop's day, from that drop alone. */
export function utilisationLine(drop: Drop): string {
  const noon = Date.parse(drop.manifest.window.start) / 1000 + 12 * HOUR;
  const { servers, vcpus } = allocatedAt(drop, noon);
  const capacity = capacityAt(drop, noon);
  const share = capacity === 0 ? 'no host is enabled' : `${((vcpus / capacity) * 100).toFixed(1)} %`;
  return `at ${iso(noon)}: ${count(servers)} servers with ${count(vcpus)} of ${count(capacity)} vCPUs, ${share}`;
}

const seconds = (value: unknown): Seconds | null =>
  typeof value === 'string' ? Date.parse(value) / 1000 : null;

/** Servers with a host count from their creation to their deletion, unless they are shelved. */
export function allocatedAt(drop: Drop, time: Seconds): { servers: number; vcpus: number } {
  const rows = (drop.tables['instances']?.['jsonl'] ?? []).filter(
    (row) =>
      row['host'] !== null &&
      row['state'] !== 'shelved_offloaded' &&
      (seconds(row['created_time']) ?? 0) <= time &&
      (seconds(row['deleted_time']) ?? Infinity) > time,
  );
  return { servers: rows.length, vcpus: rows.reduce((sum, row) => sum + Number(row['vcpus']), 0) };
}

/** CPUs of the hosts that were there and are enabled. */
function capacityAt(drop: Drop, time: Seconds): number {
  return (drop.tables['machines']?.['jsonl'] ?? [])
    .filter(
      (row) =>
        row['enabled'] === true &&
        (seconds(row['created_time']) ?? 0) <= time &&
        (seconds(row['deleted_time']) ?? Infinity) > time,
    )
    .reduce((sum, row) => sum + Number(row['vcpus']), 0);
}
