import type { Drop } from '../drops.ts';
import type { Row } from '../mariadb/index.ts';

/** What the drops hold and the database does not, and the other way round; each row as text, repeated rows too. */
export interface Difference {
  readonly onlyInDrops: string[];
  readonly onlyInDatabase: string[];
}

/**
 * Holds unmasked JSON lines against the plain select of `finishedEvents`, row for row, in what cannot change once
 * an event has finished. (A row has the flavour and host that its server had when it was extracted.)
 */
export function compareWithTruth(drops: readonly Drop[], truth: readonly Row[]): Difference {
  const published = drops.flatMap((drop) => (drop.rows['jsonl'] ?? []).map(rowOfDrop)).map(lastingPart);
  const expected = truth.map(rowOfDatabase).map(lastingPart);
  return { onlyInDrops: without(published, expected), onlyInDatabase: without(expected, published) };
}

/** Rows of a drop that the database, as it is now, does not have with just these values in all columns. */
export function unlikeNow(drop: Drop, truth: readonly Row[]): string[] {
  return without((drop.rows['jsonl'] ?? []).map(rowOfDrop), truth.map(rowOfDatabase));
}

function lastingPart(row: string): string {
  const [uuid, event, start, finish, result, , , , hostname, user, project] = JSON.parse(row) as unknown[];
  return JSON.stringify([uuid, event, start, finish, result, hostname, user, project]);
}

/** Identifies an event whatever its finish and result were when it was read. */
export function identityOf(row: string): string {
  return (JSON.parse(row) as unknown[]).slice(0, 3).join(' ');
}

function rowOfDrop(row: Record<string, unknown>): string {
  const { uuid, event, start_time: start, finish_time: finish, result } = row;
  const { memory_mb: memory, root_gb: disk, vcpus, hostname, user_id: user, project_id: project, host } = row;
  return JSON.stringify([
    uuid,
    event,
    start,
    finish,
    result,
    memory,
    disk,
    vcpus,
    hostname,
    user,
    project,
    host,
  ]);
}

function rowOfDatabase(row: Row): string {
  const iso = (time: unknown): string => `${String(time).replace(' ', 'T')}Z`;
  return JSON.stringify([
    row['uuid'],
    row['event'],
    iso(row['start_time']),
    iso(row['finish_time']),
    row['result'],
    row['memory_mb'],
    row['root_gb'],
    row['vcpus'],
    row['hostname'],
    row['user_id'],
    row['project_id'],
    hostOf(row),
  ]);
}

/** The stated host rule, written down a second time on purpose. */
function hostOf(row: Row): unknown {
  const [event, instance] = [row['host'] ?? '', row['instance_host'] ?? ''];
  const ranThere = String(row['event']).startsWith('compute_');
  const host = ranThere ? event || instance : instance || event;
  return host === '' ? null : host;
}

function without(rows: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const row of others) left.set(row, (left.get(row) ?? 0) + 1);
  return rows.filter((row) => {
    const count = left.get(row) ?? 0;
    if (count > 0) left.set(row, count - 1);
    return count === 0;
  });
}
