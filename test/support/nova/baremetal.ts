import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { Pool } from 'mysql2/promise';
import { rowsOf } from '../mariadb/client.ts';
import type { DatabaseUser, MariaDb, Row } from '../mariadb/index.ts';

/** A database that was loaded from a dump of a real service. */
export interface ServiceDatabase {
  /** Its real name. */
  readonly database: string;
  readonly pool: Pool;
  query(sql: string, params?: unknown[]): Promise<Row[]>;
  dsn(user?: DatabaseUser): string;
}

/** Dumps: of Ironic 21.4, of Blazar 10.0, of Chameleon's fork of it, and the schema of Blazar's master of 2026. */
export type Dump = 'ironic' | 'blazar' | 'blazar-chameleon' | 'blazar-master-schema';

/** What happened on 29 November 2026 in the dumps is of 2 June 2025. */
const DAYS_BACK = 545;

/** Creates a database with the rows of a dump, moved to 2 June 2025. */
export async function loadDump(server: MariaDb, dump: Dump): Promise<ServiceDatabase> {
  const packed = await readFile(new URL(`../../fixtures/baremetal/${dump}.sql.gz`, import.meta.url));
  const database = await server.database(dump.replaceAll('-', '_'));
  const pool = server.pool(database);
  const connection = await pool.getConnection();
  try {
    await connection.query('SET foreign_key_checks = 0');
    await connection.query(gunzipSync(packed).toString('utf8'));
    const times = await rowsOf(
      pool,
      "SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = ? AND data_type = 'datetime'",
      [database],
    );
    for (const { t, c } of times)
      await connection.query(
        `UPDATE \`${String(t)}\` SET \`${String(c)}\` = \`${String(c)}\` - INTERVAL ? DAY`,
        [DAYS_BACK],
      );
    await connection.query('SET foreign_key_checks = 1');
  } finally {
    connection.release();
  }
  return {
    database,
    pool,
    query: (sql, params) => rowsOf(pool, sql, params),
    dsn: (user) => server.dsn(database, user),
  };
}

/** Nova's rows for the nodes of the dump, as its Ironic driver makes them. */
export const NODES = {
  'b02f16ab-5165-41e1-ba30-c53f19bb35f6': 'node-01',
  'ab158808-1257-488b-8dbb-9ee08c2a5347': 'node-02',
  'c8a47748-0bd1-4b4d-a39f-2a3886c19ba7': 'node-03',
} as const;
