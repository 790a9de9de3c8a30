import type { Seconds } from '../../../lib/core/time.ts';
import { type MariaDb, type Row, startMariaDb } from '../../support/mariadb/index.ts';
import { type Dump, type ServiceDatabase, loadDump } from '../../support/nova/baremetal.ts';
import { upsert } from '../../support/nova/rows.ts';
import { type Cell, TABLES, createCell } from '../../support/nova/schema.ts';
import { type DemoCloud, finishedIn } from '../cloud.ts';
import { bareMetalHistory } from './history.ts';
import { type Tables, blazarAt, computeNodesAt, ironicAt, serversAt } from './rows.ts';

/**
 * Starts a private MariaDB with the databases of Nova, Ironic and Blazar of a cloud of bare metal, in the schemas of the
 * real services.
 *
 * @param signal breaks off the start, after which no server runs
 */
export async function startBareMetalCloud(
  start: Seconds,
  days: number,
  signal: AbortSignal,
): Promise<DemoCloud> {
  const database = await startMariaDb({ signal });
  try {
    const history = bareMetalHistory(start, days);
    const cell = await createCell(database, 'cell1');
    const ironic = await emptyDump(database, 'ironic');
    const blazar = await emptyDump(database, 'blazar');
    const [row] = await database.query('SELECT VERSION() AS version');
    let shownUntil = -Infinity;
    return {
      server: `MariaDB ${String(row?.['version']).split('-')[0]}`,
      cells: [cell],
      services: { ironic, blazar },
      now: () => shownUntil,
      secret: await secretOf(database, cell, { ironic, blazar }),
      opens: 'a DSN for each, of a user with SELECT; the key that seals names in the state',
      identifiers: [
        ...history.nodes.flatMap(({ uuid, name, rack }) => [uuid, name, rack]),
        ...history.leases.flatMap(({ id, reservation }) => [id, reservation]),
      ],
      async advanceTo(time) {
        const rows = serversAt(shownUntil, time, history);
        for (const table of TABLES) await upsert(cell, table, rows[table]);
        await replace(cell, { compute_nodes: computeNodesAt(time, history) });
        await replace(ironic, ironicAt(time, history));
        await replace(blazar, blazarAt(time, history));
        shownUntil = time;
      },
      finished: (from, until) => finishedIn([cell], from, until),
      stop: () => database.stop(),
    };
  } catch (error) {
    await database.stop();
    throw error;
  }
}

/** The tables of a real service, without its rows. */
async function emptyDump(server: MariaDb, dump: Dump): Promise<ServiceDatabase> {
  const service = await loadDump(server, dump);
  const tables = await service.query(
    'SELECT table_name AS t FROM information_schema.tables WHERE table_schema = ?',
    [service.database],
  );
  await replace(service, Object.fromEntries(tables.map(({ t }) => [String(t), []])));
  return service;
}

/** Exchanges all rows of some tables at once. */
async function replace({ pool }: Pick<ServiceDatabase, 'pool'>, tables: Tables): Promise<void> {
  const connection = await pool.getConnection();
  try {
    await connection.query('SET foreign_key_checks = 0');
    await connection.beginTransaction();
    for (const [table, rows] of Object.entries(tables)) {
      await connection.query(`DELETE FROM \`${table}\``);
      const columns = Object.keys(rows[0] ?? {});
      const values = rows.map((row: Row) => columns.map((column) => row[column]));
      if (rows.length > 0)
        await connection.query(`INSERT INTO \`${table}\` (\`${columns.join('`, `')}\`) VALUES ?`, [values]);
    }
    await connection.commit();
    await connection.query('SET foreign_key_checks = 1');
  } finally {
    connection.release();
  }
}

/** TLS is off, which has to be said: the server is on this machine's loopback. */
async function secretOf(
  server: MariaDb,
  cell: Cell,
  { ironic, blazar }: Record<'ironic' | 'blazar', ServiceDatabase>,
): Promise<string> {
  const user = await server.createUser(
    [cell, ironic, blazar].map(({ database }) => `SELECT ON \`${database}\`.*`),
  );
  return JSON.stringify({
    cells: { [cell.name]: cell.dsn(user) },
    ironic: ironic.dsn(user),
    blazar: blazar.dsn(user),
    ssl: 'off',
  });
}
