import type { CellConnection } from '../../connection/connection.ts';
import { LIVE } from '../../source/nova-db/schema.ts';
import type { CellSession } from '../../source/nova-db/session.ts';
import { type Finding, teller } from '../finding.ts';

/** A cell whose tables can be read. */
export interface OpenedCell {
  readonly connection: CellConnection;
  readonly session: CellSession;
}

const tell = teller();

const isNamedCell0 = ({ cell, database }: CellConnection): boolean =>
  cell === 'cell0' || /cell0$/i.test(database);

/**
 * Checks that need all cells together: whether one is missing or is there twice. Nothing to report if no cell can be
 * read.
 */
export async function* examineCells(
  all: readonly CellConnection[],
  opened: readonly OpenedCell[],
): AsyncGenerator<Finding, void, void> {
  if (opened.length === 0) return;
  const named = all.map(({ cell, database }) => `${cell} (${database})`).join(', ');
  yield tell.fine('cells', named);
  yield* sameTwice(opened);
  const others = await otherCells(opened);
  yield await cell0Finding(all, opened, others);
  const more = others.filter(({ database }) => !/cell0$/i.test(database));
  if (more.length > 0) {
    yield tell.lacking(
      'other cells',
      `${more.map(({ database, host }) => `${database} on ${host}`).join(', ')}: also with Nova’s tables, and not among the cells`,
      'all events of it, if it is a cell of the same cloud',
      '`nova-manage cell_v2 list_cells --verbose` lists the cells; add what is missing to the secret',
    );
  }
}

/** cell0 is recognised by its name, or because none of its servers ever had a host. */
async function cell0Finding(
  all: readonly CellConnection[],
  opened: readonly OpenedCell[],
  others: readonly OtherCell[],
): Promise<Finding> {
  const hosts = new Map<string, boolean | undefined>();
  for (const { connection, session } of opened) hosts.set(connection.cell, await hasHosts(session));

  const named = all.filter(isNamedCell0);
  const swapped = named.find(({ cell }) => hosts.get(cell) === true);
  if (swapped !== undefined) {
    return tell.lacking(
      'cell0',
      `${swapped.cell} (${swapped.database}) holds servers with a host, so it is another cell`,
      'builds for which no host was found, if cell0 is none of the others; and copies that resizes between cells make are not recognised in backfills',
      'name the cells as `nova-manage cell_v2 list_cells` does',
    );
  }
  const cell0 = named[0] ?? all.find(({ cell }) => hosts.get(cell) === false);
  if (cell0 !== undefined) {
    return tell.fine('cell0', `${cell0.cell} (${cell0.database})`);
  }
  const visible = others.find(({ database }) => /cell0$/i.test(database));
  return tell.lacking(
    'cell0',
    'none of the cells is cell0',
    'builds for which no host was found: their events are in cell0 only',
    visible === undefined
      ? 'add cell0’s database, usually nova_cell0; a Nova before Ocata has none'
      : `add the database ${visible.database} on ${visible.host}, which this user can see, as cell0`,
  );
}

/** Undefined if there is no server yet. */
async function hasHosts({ query }: CellSession): Promise<boolean | undefined> {
  const [host] = await query(`SELECT 1 FROM ${LIVE.instances} WHERE host IS NOT NULL LIMIT 1`);
  if (host !== undefined) return true;
  const [any] = await query(`SELECT 1 FROM ${LIVE.instances} LIMIT 1`);
  return any === undefined ? undefined : false;
}

interface OtherCell {
  readonly database: string;
  readonly host: string;
}

/** Databases with the tables of a cell, as far as the users may see them. */
async function otherCells(opened: readonly OpenedCell[]): Promise<OtherCell[]> {
  const key = (host: string, port: number, database: string): string => `${host}:${port}/${database}`;
  const known = new Set(opened.map(({ connection: { host, port, database } }) => key(host, port, database)));
  const found: OtherCell[] = [];
  for (const { connection, session } of opened) {
    const { host, port } = connection;
    const rows = await session.query(
      'SELECT table_schema FROM information_schema.tables WHERE table_name IN (?) ' +
        'GROUP BY table_schema HAVING COUNT(*) = 3 ORDER BY table_schema',
      [Object.values(LIVE)],
    );
    for (const [name] of rows) {
      const database = String(name);
      if (known.has(key(host, port, database))) continue;
      known.add(key(host, port, database));
      found.push({ database, host: `${host}:${port}` });
    }
  }
  return found;
}

/**
 * One database may be reachable under two names, or by a replica. The newest server shows it: a resize between cells
 * copies a server, but under another id.
 */
async function* sameTwice(opened: readonly OpenedCell[]): AsyncGenerator<Finding, void, void> {
  for (const [at, { connection, session }] of opened.entries()) {
    const [newest] = await session.query(`SELECT id, uuid FROM ${LIVE.instances} ORDER BY id DESC LIMIT 1`);
    if (newest === undefined) continue;
    for (const other of opened.slice(0, at)) {
      const [same] = await other.session.query(
        `SELECT 1 FROM ${LIVE.instances} WHERE id = ? AND uuid = ?`,
        newest,
      );
      if (same === undefined) continue;
      yield tell.fatal(
        'same database',
        `${other.connection.cell} and ${connection.cell} are one database under two names, or one a copy of the other`,
        'every event of it would be in the trace twice',
        'leave one of them out',
      );
    }
  }
}
