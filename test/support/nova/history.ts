import type { PoolConnection } from 'mysql2/promise';
import type { Row } from '../mariadb/index.ts';
import { upsert } from './rows.ts';
import { TABLES } from './schema.ts';
import type { Cell, Table } from './schema.ts';

/** Something that becomes visible in one cell's database; one of `upsert`, `archive` and `remove`. */
export interface Change {
  /** Unix seconds when the database shows it, that is, when its transaction is committed. */
  at: number;
  /** The cell's name. */
  cell: string;
  table: Table;
  /** A whole row, with its `id`. */
  upsert?: Row;
  /** Uuid of an instance whose whole tree moves to the shadow tables, as `db archive_deleted_rows` does it. */
  archive?: string;
  /** Ids of rows that go for good. */
  remove?: number[];
}

export interface Replay {
  /** Brings the databases to what they showed at that time; the times of successive calls must not decrease. */
  applyUntil(unixSeconds: number): Promise<void>;
}

/**
 * Replays a history into cells. Nobody sees the states between two calls of `applyUntil`, so all of one call is
 * one transaction per cell, in which a row is written once with its last values; a test that wants to see
 * more states steps more finely.
 */
export function replay(cells: readonly Cell[], changes: readonly Change[]): Replay {
  const ordered = changes.toSorted((a, b) => a.at - b.at);
  let next = 0;
  return {
    async applyUntil(unixSeconds) {
      const from = next;
      while (next < ordered.length && (ordered[next]?.at ?? Infinity) <= unixSeconds) next++;
      const due = ordered.slice(from, next);
      const stray = due.find((change) => !cells.some((cell) => cell.name === change.cell));
      if (stray !== undefined)
        throw new Error(`The history has a change in ${stray.cell}, which is not replayed`);
      for (const cell of cells) {
        const own = due.filter((change) => change.cell === cell.name);
        if (own.length > 0) await commit(cell, own);
      }
    },
  };
}

async function commit(cell: Cell, changes: readonly Change[]): Promise<void> {
  const connection = await cell.pool.getConnection();
  try {
    await connection.beginTransaction();
    let pending = emptyPending();
    let archived: string[] = [];
    for (const change of changes) {
      if (change.archive === undefined) {
        // What comes after an archiving must not be overtaken by it.
        if (archived.length > 0) archived = await archive(archived, connection);
        take(pending, change);
      } else {
        if (archived.length === 0) pending = await write(cell, pending, connection);
        archived.push(change.archive);
      }
    }
    await write(cell, pending, connection);
    await archive(archived, connection);
    await connection.commit();
  } catch (error) {
    await connection.rollback();
    throw error;
  } finally {
    connection.release();
  }
}

/** By table, what is to stand under an id: a row, or nothing. */
type Pending = Record<Table, Map<unknown, Row | undefined>>;

function emptyPending(): Pending {
  return { instances: new Map(), instance_actions: new Map(), instance_actions_events: new Map() };
}

function take(pending: Pending, { table, upsert: row, remove = [] }: Change): void {
  if (row !== undefined) pending[table].set(row['id'], row);
  for (const id of remove) pending[table].set(id, undefined);
}

async function write(cell: Cell, pending: Pending, connection: PoolConnection): Promise<Pending> {
  for (const table of TABLES) {
    const gone = [...pending[table]].filter(([, row]) => row === undefined).map(([id]) => id);
    const rows = [...pending[table].values()].filter((row) => row !== undefined);
    await upsert(cell, table, rows, connection);
    if (gone.length > 0) await connection.query(`DELETE FROM ${table} WHERE id IN (?)`, [gone]);
  }
  return emptyPending();
}

async function archive(uuids: string[], connection: PoolConnection): Promise<[]> {
  if (uuids.length === 0) return [];
  const actions = 'SELECT id FROM instance_actions WHERE instance_uuid IN (?)';
  const where = {
    instance_actions_events: `action_id IN (${actions})`,
    instance_actions: 'instance_uuid IN (?)',
    instances: 'uuid IN (?)',
  };
  for (const table of TABLES.toReversed()) {
    await connection.query(`INSERT INTO shadow_${table} SELECT * FROM ${table} WHERE ${where[table]}`, [
      uuids,
    ]);
    await connection.query(`DELETE FROM ${table} WHERE ${where[table]}`, [uuids]);
  }
  return [];
}
