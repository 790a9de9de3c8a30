import { MINUTE, type Seconds } from '../../lib/time.ts';
import { type MariaDb, type Row, startMariaDb } from '../support/mariadb/index.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { type Replay, replay } from '../support/nova/history.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { type Cell, TABLES, createCell } from '../support/nova/schema.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { finishedEvents } from '../support/nova/truth.ts';

/** A Nova whose databases show what they would have shown at some time of the past. */
export interface DemoCloud {
  /** `MariaDB 10.11.19` */
  readonly server: string;
  readonly cells: readonly string[];
  /** The secret that opens it, for a user who may read six tables a cell and nothing else. */
  readonly secret: string;
  /** Lets everything happen that happened until then; times must not decrease. */
  advanceTo(time: Seconds): Promise<void>;
  /** Events that the databases show. */
  events(): Promise<number>;
  /** Events that finished in the interval, with their instances. */
  finished(from: Seconds, until: Seconds): Promise<Row[]>;
  stop(): Promise<void>;
}

/** Finishes of one event in so many are committed hours late, as after trouble with the message queue. */
const LATE_EVERY = 401;
const LATE_BY = 180 * MINUTE;

/** Failed builds a day, which Nova keeps in cell0. */
const FAILED_A_DAY = 40;

/** Starts a private MariaDB with the cells of a cloud whose first server is built at `start`. */
export async function startCloud(start: Seconds, days: number, eventsPerDay: number): Promise<DemoCloud> {
  const database = await startMariaDb({ redoLog: '64M' });
  try {
    const cells = [await createCell(database, 'cell1'), await createCell(database, 'cell0')] as const;
    const [cell1, cell0] = cells;
    // The whole history at once, a day more than is shown, for its last events are cut short.
    const ahead = await createCell(database, 'ahead');
    await fillHistory(ahead, { events: eventsPerDay * (days + 1), start, days: days + 1 });
    const failures = failedBuilds(cell0, start, days);
    const [row] = await database.query('SELECT VERSION() AS version');
    return {
      server: `MariaDB ${String(row?.['version']).split('-')[0]}`,
      cells: cells.map(({ database: name }) => name),
      secret: await secretOf(database, cells),
      async advanceTo(time) {
        await reveal(ahead, cell1, time);
        await failures.applyUntil(time);
      },
      async events() {
        const counts = await Promise.all(cells.map((cell) => cell.query(COUNT)));
        return counts.flat().reduce((sum, { n }) => sum + Number(n), 0);
      },
      async finished(from, until) {
        const first = sqlTime(from);
        return (await finishedEvents(cells, until)).filter((event) => String(event['finish_time']) >= first);
      },
      stop: () => database.stop(),
    };
  } catch (error) {
    await database.stop();
    throw error;
  }
}

const COUNT = 'SELECT COUNT(*) AS n FROM instance_actions_events';

function failedBuilds(cell0: Cell, start: Seconds, days: number): Replay {
  const mix = { noValidHost: 1 };
  return replay([cell0], randomHistory({ seed: 3, start, days, eventsPerDay: FAILED_A_DAY, mix }).changes);
}

/** The form of several cells. TLS is off, which has to be said: the server is on this machine's loopback. */
async function secretOf(database: MariaDb, cells: readonly Cell[]): Promise<string> {
  const tables = TABLES.flatMap((table) => [table, `shadow_${table}`]);
  const reader = await database.createUser(
    cells.flatMap((cell) => tables.map((table) => `SELECT ON \`${cell.database}\`.\`${table}\``)),
  );
  const dsns = Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn(reader)]));
  return JSON.stringify({ cells: dsns, ssl: 'off' });
}

/**
 * Copies what had happened by `time` from the history ahead into the cell: rows that were there, in the state
 * they had. A finish shows up in place, hours or days after the row, as Nova writes it.
 */
async function reveal(ahead: Cell, cell: Cell, time: Seconds): Promise<void> {
  const at = `TIMESTAMP'${sqlTime(time)}'`;
  const from = (table: string): string => `\`${ahead.database}\`.${table}`;
  const begun = { instances: 'created_at', instance_actions: 'created_at', instance_actions_events: 'start_time' };
  const shown = (row: string): string =>
    `${row}.finish_time + INTERVAL IF(${row}.id % ${LATE_EVERY} = 0, ${LATE_BY}, 0) SECOND < ${at}`;
  const inserts = TABLES.map(
    (table) =>
      `INSERT INTO ${table} SELECT * FROM ${from(table)} WHERE ${begun[table]} < ${at}
          AND id > (SELECT COALESCE(MAX(id), 0) FROM ${table} own)`,
  );
  const connection = await cell.pool.getConnection();
  try {
    await connection.beginTransaction();
    await connection.query(
      [
        ...inserts,
        // Once more what had its end still ahead, and what was inserted just now with an end that is.
        `UPDATE instance_actions_events e JOIN ${from('instance_actions_events')} later USING (id)
            SET e.finish_time = later.finish_time, e.result = later.result, e.updated_at = later.updated_at
          WHERE e.finish_time IS NULL AND ${shown('later')}`,
        `UPDATE instance_actions_events e SET finish_time = NULL, result = NULL, updated_at = NULL
          WHERE NOT ${shown('e')}`,
        `UPDATE instances i JOIN ${from('instances')} later USING (id)
            SET i.deleted = later.deleted, i.deleted_at = later.deleted_at, i.cleaned = later.cleaned,
                i.terminated_at = later.terminated_at, i.vm_state = later.vm_state
          WHERE i.deleted = 0 AND later.deleted_at < ${at}`,
        `UPDATE instances SET deleted = 0, deleted_at = NULL, cleaned = 0, terminated_at = NULL, vm_state = 'active'
          WHERE deleted_at >= ${at}`,
      ].join(';\n'),
    );
    await connection.commit();
  } finally {
    connection.release();
  }
}

