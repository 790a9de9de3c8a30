import type { Row } from '../support/mariadb/index.ts';
import type { Drop } from '../support/drops.ts';
import { count } from './text.ts';

/**
 * Holds the drops against the databases that they were made from, as only somebody who sees both can.
 *
 * @param finished every event that finished in the time of the drops, by the plainest query there is
 * @param ofLeases ids and names of leases and nodes
 * @throws Error where a promise is broken
 */
export function checkDrops(
  drops: readonly Drop[],
  finished: readonly Row[],
  ofLeases: readonly string[],
): string[] {
  const rows = drops.flatMap((drop) => drop.rows['csv'] ?? []);
  const left = new Map<string, number>();
  for (const event of finished) add(left, sourceKey(event), 1);
  for (const row of rows) add(left, rowKey(row), -1);
  const unequal = [...left.values()].filter((difference) => difference !== 0).length;
  if (unequal > 0 || rows.length !== finished.length) {
    throw new Error(
      `the drops hold ${rows.length} rows, the databases ${finished.length} events; ${unequal} differ`,
    );
  }
  const identifiers = new Set([...identifiersOf(finished), ...ofLeases]);
  for (const { tables } of drops) {
    for (const row of Object.values(tables).flatMap((formats) => Object.values(formats).flat())) {
      const values = Object.values(row).flatMap((value) => String(value).split(' '));
      if (values.some((value) => identifiers.has(value)))
        throw new Error('a row of the drops holds an unmasked identifier');
    }
  }
  const servers = new Set(rows.map((row) => row['INSTANCE_UUID'])).size;
  const known = new Set(finished.map((event) => event['uuid'])).size;
  if (servers !== known) throw new Error(`the drops hold ${servers} servers, the databases ${known}`);
  return [
    `${count(finished.length)} events finished in these days: each is in one drop, none in two (by what is not masked)`,
    `none of ${count(identifiers.size)} ids and names of servers, users, projects${ofLeases.length === 0 ? ' and hosts' : ', hosts and leases'} is in any drop`,
    `${count(servers)} servers, the same over all drops: their masks join`,
    'every file has the size, the rows and the SHA-256 that its manifest says',
  ];
}

function add(to: Map<string, number>, key: string, difference: number): void {
  to.set(key, (to.get(key) ?? 0) + difference);
}

/** What a row says that is not masked. */
function rowKey(row: Record<string, unknown>): string {
  return ['EVENT', 'START_TIME', 'FINISH_TIME', 'RESULT', 'MEMORY_MB', 'DISK_GB', 'VCPUS']
    .map((column) => String(row[column]))
    .join(' ');
}

function sourceKey(event: Row): string {
  return ['event', 'start_time', 'finish_time', 'result', 'memory_mb', 'root_gb', 'vcpus']
    .map((column) => (column.endsWith('_time') ? isoTime(event[column]) : String(event[column])))
    .join(' ');
}

function isoTime(value: unknown): string {
  return String(value).slice(0, 19).replace(' ', 'T');
}

function identifiersOf(events: readonly Row[]): Set<string> {
  const columns = ['uuid', 'hostname', 'user_id', 'project_id', 'host', 'instance_host', 'node'];
  return new Set(
    events
      .flatMap((event) => columns.map((column) => event[column]))
      .filter((value) => typeof value === 'string'),
  );
}
