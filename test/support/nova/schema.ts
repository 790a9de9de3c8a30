import { readFile } from 'node:fs/promises';
import type { Pool } from 'mysql2/promise';
import { rowsOf } from '../mariadb/client.ts';
import type { DatabaseUser, MariaDb, Row } from '../mariadb/index.ts';

export const TABLES = ['instances', 'instance_actions', 'instance_actions_events'] as const;
export type Table = (typeof TABLES)[number];

export interface CellOptions {
  /** Without the shadow tables: a reader's user may have no right to them. */
  shadow?: boolean;
  /** Without `instance_actions_events.host`: Nova before Rocky. */
  eventHost?: boolean;
  /** Without `instance_actions_events.details`: Nova before Ussuri. */
  eventDetails?: boolean;
  /** Without `instances.hidden`: Nova before Train. */
  instanceHidden?: boolean;
}

/** One Nova cell's database. */
export interface Cell {
  /** `cell1` */
  readonly name: string;
  /** The database's real name. */
  readonly database: string;
  readonly server: MariaDb;
  readonly shadow: boolean;
  /** Column names by table, in order. */
  readonly columns: Record<Table, string[]>;
  readonly pool: Pool;
  query(sql: string, params?: unknown[]): Promise<Row[]>;
  dsn(user?: DatabaseUser): string;
  /** A user who may read this database and nothing else. */
  reader(): Promise<DatabaseUser>;
}

const schema = Promise.all(
  ['schema.sql', 'hosts.sql'].map((name) => readFile(new URL(name, import.meta.url), 'utf8')),
);

/** Creates the empty database `nova_NAME` (`cell1`, `cell0`). */
export async function createCell(server: MariaDb, name: string, options: CellOptions = {}): Promise<Cell> {
  const { shadow = true } = options;
  const statements = (await schema)
    .join('\n')
    .split(/\n(?=CREATE)/)
    .filter((statement) => statement.startsWith('CREATE'))
    .filter((statement) => shadow || !statement.startsWith('CREATE TABLE `shadow_'))
    .map((statement) => withoutColumns(statement, missingColumns(statement, options)));
  const database = await server.database(`nova_${name}`);
  const pool = server.pool(database);
  await pool.query(statements.join('\n'));
  return {
    name,
    database,
    server,
    shadow,
    pool,
    columns: {
      instances: columnsOf('instances', statements),
      instance_actions: columnsOf('instance_actions', statements),
      instance_actions_events: columnsOf('instance_actions_events', statements),
    },
    query: (sql, params) => rowsOf(pool, sql, params),
    dsn: (user) => server.dsn(database, user),
    reader: () => server.createUser([`SELECT ON \`${database}\`.*`]),
  };
}

function missingColumns(statement: string, options: CellOptions): string[] {
  if (statement.includes('instance_actions_events` (')) {
    return [
      ...(options.eventHost === false ? ['host'] : []),
      ...(options.eventDetails === false ? ['details'] : []),
    ];
  }
  return statement.includes('instances` (') && options.instanceHidden === false ? ['hidden'] : [];
}

function withoutColumns(statement: string, columns: string[]): string {
  const unwanted = columns.map((column) => `  \`${column}\` `);
  return statement
    .split('\n')
    .filter((line) => !unwanted.some((start) => line.startsWith(start)))
    .join('\n');
}

function columnsOf(table: Table, statements: string[]): string[] {
  const statement = statements.find((text) => text.startsWith(`CREATE TABLE \`${table}\``)) ?? '';
  return [...statement.matchAll(/^ {2}`(\w+)`/gm)].map(([, column = '']) => column);
}
