import { DAY, MINUTE, type Seconds } from '../../lib/core/time.ts';
import { type MariaDb, type Row, startMariaDb } from '../support/mariadb/index.ts';
import type { ServiceDatabase } from '../support/nova/baremetal.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { type Replay, replay } from '../support/nova/history.ts';
import { hostsOf } from '../support/nova/hosts.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { type Cell, TABLES, createCell } from '../support/nova/schema.ts';
import { sqlTime } from '../support/nova/sql-time.ts';

/** A Nova whose databases show what they would have shown at some time of the past. */
export interface DemoCloud {
  /** `MariaDB 10.11.19` */
  readonly server: string;
  readonly cells: readonly Cell[];
  /** Databases of other services, which the secret opens too. */
  readonly services: { readonly ironic?: ServiceDatabase; readonly blazar?: ServiceDatabase };
  /** The time up to which everything has happened. */
  readonly now: () => Seconds;
  /** The secret that opens it, for a user who may read some tables and nothing else. */
  readonly secret: string;
  /** What is in the secret, in a few words. */
  readonly opens: string;
  /** Ids and names of leases and nodes, none of which may be in a drop. */
  readonly identifiers: readonly string[];
  /** Lets everything happen that happened until then; times must not decrease. */
  advanceTo(time: Seconds): Promise<void>;
  /** Events that finished in the interval, with their instances. */
  finished(from: Seconds, until: Seconds): Promise<Row[]>;
  stop(): Promise<void>;
}

/** Finishes of one event in so many are committed hours late, as after trouble with the message queue. */
const LATE_EVERY = 401;
const LATE_BY = 180 * MINUTE;

/** Failed builds a day, which Nova keeps in cell0. */
const FAILED_A_DAY = 40;

/**
 * Starts a private MariaDB with the cells of a cloud whose first server is built at `start`.
 *
 * @param signal breaks off the start, after which no server runs
 */
export async function startCloud(
  start: Seconds,
  days: number,
  eventsPerDay: number,
  signal: AbortSignal,
): Promise<DemoCloud> {
  const database = await startMariaDb({ redoLog: '128M', bufferPool: '256M', signal });
  // The history is filled by statements of seconds, which end with their server.
  const breakOff = (): void => void database.stop().catch(() => undefined);
  signal.addEventListener('abort', breakOff);
  try {
    const cells = [await createCell(database, 'cell1'), await createCell(database, 'cell0')] as const;
    const [cell1, cell0] = cells;
    // The whole history at once, a day more than is shown, for its last events are cut short.
    const ahead = await createCell(database, 'ahead');
    await fillHistory(ahead, { events: eventsPerDay * (days + 1), start, days: days + 1 });
    await dateChanges(ahead);
    await addHosts(ahead, cell1, start - DAY);
    let shownUntil = start;
    const failures = failedBuilds(cell0, start, days);
    const [row] = await database.query('SELECT VERSION() AS version');
    return {
      server: `MariaDB ${String(row?.['version']).split('-')[0]}`,
      cells,
      services: {},
      now: () => shownUntil,
      secret: await secretOf(database, cells),
      opens: 'a DSN for each, of a user with SELECT on ten tables',
      identifiers: [],
      async advanceTo(time) {
        await reveal(ahead, cell1, shownUntil, time);
        shownUntil = time;
        await failures.applyUntil(time);
      },
      finished: (from, until) => finishedIn(cells, from, until),
      stop: () => database.stop(),
    };
  } catch (error) {
    await database.stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', breakOff);
  }
}

/** The plainest query there is, with no index to help it. */
const FINISHED = `SELECT e.event, e.start_time, e.finish_time, e.result, i.memory_mb, i.root_gb, i.vcpus,
    i.uuid, i.hostname, i.user_id, i.project_id, i.host AS instance_host, i.node, e.host
  FROM instance_actions_events e JOIN instance_actions a ON a.id = e.action_id JOIN instances i ON i.uuid = a.instance_uuid
  WHERE e.finish_time >= ? AND e.finish_time < ?`;

/** Events that finished in the interval, with their instances. */
export async function finishedIn(cells: readonly Cell[], from: Seconds, until: Seconds): Promise<Row[]> {
  const between = [sqlTime(from), sqlTime(until)];
  return (await Promise.all(cells.map((cell) => cell.query(FINISHED, between)))).flat();
}

/** The API tells by these times what has changed: a server when it was deleted, an action with each of its events. */
async function dateChanges(cell: Cell): Promise<void> {
  await cell.query('UPDATE instances SET updated_at = deleted_at WHERE deleted_at IS NOT NULL');
  // Exports for simulators leave out what never ran.
  await cell.query('UPDATE instances SET launched_at = created_at WHERE host IS NOT NULL');
  await cell.query(
    `UPDATE instance_actions a JOIN (
         SELECT action_id, MAX(GREATEST(start_time, COALESCE(finish_time, start_time))) AS last
           FROM instance_actions_events GROUP BY action_id) e ON e.action_id = a.id
       SET a.updated_at = e.last`,
  );
}

/** A host for each that has servers, large enough for all of them; the last one is disabled. */
async function addHosts(ahead: Cell, cell: Cell, created: Seconds): Promise<void> {
  const hosts = hostsOf(cell);
  const names = await ahead.query(
    'SELECT host, SUM(vcpus) AS vcpus FROM instances WHERE host IS NOT NULL GROUP BY host ORDER BY host',
  );
  for (const { host, vcpus } of names)
    await hosts.add(String(host), created, { vcpus: Math.ceil(Number(vcpus) / 64) * 64 });
  await hosts.disable(String(names.at(-1)?.['host']), created);
}

function failedBuilds(cell0: Cell, start: Seconds, days: number): Replay {
  const mix = { noValidHost: 1 };
  return replay([cell0], randomHistory({ seed: 3, start, days, eventsPerDay: FAILED_A_DAY, mix }).changes);
}

/** The form of several cells. TLS is off, which has to be said: the server is on this machine's loopback. */
async function secretOf(database: MariaDb, cells: readonly Cell[]): Promise<string> {
  const all = [...TABLES, 'services', 'compute_nodes'];
  const tables = all.flatMap((table) => [table, `shadow_${table}`]);
  const reader = await database.createUser(
    cells.flatMap((cell) => tables.map((table) => `SELECT ON \`${cell.database}\`.\`${table}\``)),
  );
  const dsns = Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn(reader)]));
  return JSON.stringify({ cells: dsns, ssl: 'off' });
}

/**
 * Copies what happened in `[from, until)` out of the history ahead into the cell: rows that came, in the state
 * that they had then, and changes of those that were there. A finish shows up in place, hours after the row, as
 * Nova writes it.
 */
async function reveal(ahead: Cell, cell: Cell, from: Seconds, until: Seconds): Promise<void> {
  const [first, end] = [from, until].map((time) => `TIMESTAMP'${sqlTime(time)}'`);
  const source = (table: string): string => `\`${ahead.database}\`.${table}`;
  const committed = `later.finish_time + INTERVAL IF(later.id % ${LATE_EVERY} = 0, ${LATE_BY}, 0) SECOND`;
  const connection = await cell.pool.getConnection();
  try {
    await connection.beginTransaction();
    for (const table of TABLES) {
      await connection.query(
        `INSERT INTO ${table} SELECT * FROM ${source(table)} WHERE created_at >= ${first} AND created_at < ${end}`,
      );
    }
    // New rows come with their end, which some have still ahead: it goes first, and comes when its time has.
    await connection.query(
      `UPDATE instance_actions_events SET finish_time = NULL, result = NULL, updated_at = NULL
        WHERE created_at >= ${first} AND finish_time IS NOT NULL`,
    );
    await connection.query(
      `UPDATE instance_actions_events e JOIN ${source('instance_actions_events')} later USING (id)
          SET e.finish_time = later.finish_time, e.result = later.result, e.updated_at = later.updated_at
        WHERE e.finish_time IS NULL AND ${committed} < ${end}`,
    );
    await connection.query(
      `UPDATE instances SET deleted = 0, deleted_at = NULL, terminated_at = NULL, cleaned = 0, vm_state = 'active'
        WHERE created_at >= ${first} AND deleted_at IS NOT NULL`,
    );
    await connection.query(
      `UPDATE instances i JOIN ${source('instances')} later USING (id)
          SET i.deleted = later.deleted, i.deleted_at = later.deleted_at, i.terminated_at = later.terminated_at,
              i.cleaned = later.cleaned, i.vm_state = later.vm_state
        WHERE i.deleted = 0 AND later.deleted_at < ${end}`,
    );
    await connection.commit();
  } finally {
    connection.release();
  }
}
