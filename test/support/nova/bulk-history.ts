import type { PoolConnection, ResultSetHeader } from 'mysql2/promise';
import { bulkPattern } from './bulk-pattern.ts';
import type { Pattern } from './bulk-pattern.ts';
import { statements } from './bulk-sql.ts';
import type { Series } from './bulk-sql.ts';
import { TABLES } from './schema.ts';
import type { Cell, Table } from './schema.ts';

export interface BulkHistory {
  /** Events before the window, in the live tables. */
  events: number;
  /** Unix seconds of the first; the last is one hour before the window, or at the end of `days` without one. */
  start: number;
  days: number;
  /**
   * Twice as many events, about half of them (those of every other server) in the shadow tables, their ids
   * between the live ones.
   */
  shadow?: boolean;
  /**
   * Comes after the `days`: exactly so many events that finish in it, all in the live tables. One in 25 of a
   * day's starts in the hour before it. But for the ids they are the same whatever history lies before.
   */
  window?: { events: number; seconds?: number };
}

export interface Filled {
  events: number;
  shadowEvents: number;
  windowEvents: number;
  /** Unix seconds, `[start, end)`. */
  window: { start: number; end: number };
}

const DAY = 86_400;
const HOUR = 3600;
/** 0.7 % of all events. */
const OPEN_EVERY = 143;

/**
 * Fills a cell with a history of any size, made by the server itself: about fifteen processor seconds a
 * million events, on up to three processors. About 7.6 events a server, 200 users, 50 projects, 100 hosts; no
 * finish is after the end of its part, so what comes next does not depend on it. Several calls add up: ids go
 * on where the last one ended.
 */
export async function fillHistory(cell: Cell, history: BulkHistory): Promise<Filled> {
  const { start, days, shadow = false } = history;
  const windowStart = start + days * DAY;
  const windowEnd = windowStart + (history.window?.seconds ?? DAY);
  const pattern = bulkPattern();
  const connections = await openConnections(cell, pattern);
  try {
    const actionsPerBlock = pattern.actions.length;
    const after = await highestIds(cell);
    const part: Series = {
      name: `history ${after.instances}`,
      events: history.events * (shadow ? 2 : 1),
      actionsPerBlock,
      after,
      start,
      end: history.window === undefined ? windowStart : windowStart - HOUR,
      finishFrom: start,
      openEvery: OPEN_EVERY,
    };
    const live = await insert(connections, shadow ? { ...part, archived: 0 } : part);
    const archived = shadow ? await insert(connections, { ...part, archived: 1 }) : 0;
    const inWindow = await insert(connections, {
      name: `window ${windowStart}`,
      events: history.window?.events ?? 0,
      actionsPerBlock,
      after: await highestIds(cell),
      start: windowStart - HOUR,
      end: windowEnd,
      finishFrom: windowStart,
      openEvery: 0,
    });
    const window = { start: windowStart, end: windowEnd };
    return { events: live, shadowEvents: archived, windowEvents: inWindow, window };
  } finally {
    // Their settings and temporary tables are not for the next user of the pool.
    for (const table of TABLES) connections[table].destroy();
  }
}

/** One for each table: the three are filled at the same time, by as many processors as there are. */
type Connections = Record<Table, PoolConnection>;

/** Gives the number of events. */
async function insert(connections: Connections, series: Series): Promise<number> {
  if (series.events === 0) return 0;
  const sql = statements(series);
  const [, , [events]] = await Promise.all([
    connections.instances.query(sql.instances),
    connections.instance_actions.query(sql.instance_actions),
    connections.instance_actions_events.query<ResultSetHeader>(sql.instance_actions_events),
  ]);
  return events.affectedRows;
}

async function highestIds(cell: Cell): Promise<Record<Table, number>> {
  const highest = { instances: 0, instance_actions: 0, instance_actions_events: 0 };
  for (const table of TABLES) {
    for (const name of cell.shadow ? [table, `shadow_${table}`] : [table]) {
      const [row] = await cell.query(`SELECT COALESCE(MAX(id), 0) AS id FROM ${name}`);
      highest[table] = Math.max(highest[table], Number(row?.['id']));
    }
  }
  return highest;
}

async function openConnections(cell: Cell, pattern: Pattern): Promise<Connections> {
  const { servers, actions, events } = pattern;
  const archived = new Map(servers.map((server) => [server.server, server.archived]));
  const withArchived = (rows: { server: number }[]): object[] =>
    rows.map((row) => ({ ...row, archived: archived.get(row.server) ?? 0 }));
  return {
    instances: await openConnection(
      cell,
      'pattern_servers (server INT PRIMARY KEY, position INT, deleted INT, archived INT)',
      servers,
    ),
    instance_actions: await openConnection(
      cell,
      'pattern_actions (action INT PRIMARY KEY, server INT, name VARCHAR(255), position INT, archived INT)',
      withArchived(actions),
    ),
    instance_actions_events: await openConnection(
      cell,
      'pattern_events (position INT PRIMARY KEY, server INT, action INT, event VARCHAR(255), seconds INT, ' +
        'error INT, onController INT, archived INT)',
      withArchived(events),
    ),
  };
}

async function openConnection(cell: Cell, table: string, rows: readonly object[]): Promise<PoolConnection> {
  const connection = await cell.pool.getConnection();
  const [name = ''] = table.split(' ');
  const columns = Object.keys(rows[0] ?? {}).join();
  await connection.query(`CREATE TEMPORARY TABLE ${table}`);
  await connection.query(`INSERT INTO ${name} (${columns}) VALUES ?`, [
    rows.map((row) => Object.values(row)),
  ]);
  // With both checks off, MariaDB sorts what goes into an empty table and builds its indexes in one go. Without
  // a join buffer the rows come in the order of their ids.
  await connection.query('SET foreign_key_checks = 0, unique_checks = 0, join_cache_level = 0');
  return connection;
}
