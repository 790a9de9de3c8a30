import { randomBytes } from 'node:crypto';
import { createPool } from 'mysql2/promise';
import type { Pool } from 'mysql2/promise';

export type Row = Record<string, unknown>;

export interface DatabaseUser {
  user: string;
  password: string;
}

export interface Address {
  host: string;
  port: number;
  user: string;
  password: string;
}

/** A running server: private to a test file, common to those of a worker, or the one in TEST_MARIADB_DSN. */
export interface MariaDb {
  readonly host: string;
  readonly port: number;
  readonly rootUser: string;
  readonly rootPassword: string;
  /** PEM of the certificate authority, where the server was started with `tls: true`. */
  readonly ca?: string;
  /** `mysql://user:password@host:port/database`; root without `user`. */
  dsn(database?: string, user?: DatabaseUser): string;
  /** Runs one or several statements as root; the rows are those of the last. */
  query(sql: string, params?: unknown[]): Promise<Row[]>;
  /** Creates an empty database and gives its name, which is `name` itself but on the server in TEST_MARIADB_DSN. */
  database(name: string): Promise<string>;
  /** Root's connections to one database; closed by `stop`. */
  pool(database?: string): Pool;
  /**
   * A new user with a generated password. A grant is what stands between GRANT and TO (`SELECT ON nova.*`);
   * `require` is what follows REQUIRE (`SSL`).
   */
  createUser(grants: string[], require?: string): Promise<DatabaseUser>;
  /** Stops a private server and deletes its files; on another drops what was created here. */
  stop(): Promise<void>;
}

export interface Lifetime {
  ca?: string;
  /** Put before the name of every database, so that several runs can share a server. */
  prefix?: string;
  /** Ends the server. */
  stop?: () => Promise<void>;
}

export function openClient(at: Address, { ca, prefix = '', stop }: Lifetime): MariaDb {
  const pools = new Map<string, Pool>();
  const leftovers: string[] = [];

  function pool(database = ''): Pool {
    const open = pools.get(database) ?? openPool(at, database);
    pools.set(database, open);
    return open;
  }
  async function query(sql: string, params: unknown[] = []): Promise<Row[]> {
    return rowsOf(pool(), sql, params);
  }
  return {
    host: at.host,
    port: at.port,
    rootUser: at.user,
    rootPassword: at.password,
    ...(ca === undefined ? {} : { ca }),
    query,
    pool,
    dsn(database = '', { user, password } = at) {
      const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
      return `mysql://${login}@${at.host}:${at.port}/${database}`;
    },
    async database(name) {
      const database = prefix + name;
      await query(`CREATE DATABASE \`${database}\` CHARACTER SET utf8mb3`);
      leftovers.push(`DATABASE IF EXISTS \`${database}\``);
      return database;
    },
    async createUser(grants, require) {
      const login = {
        user: `test_${randomBytes(6).toString('hex')}`,
        password: randomBytes(16).toString('hex'),
      };
      await query(`CREATE USER ?@'%' IDENTIFIED BY ? ${require === undefined ? '' : `REQUIRE ${require}`}`, [
        login.user,
        login.password,
      ]);
      leftovers.push(`USER IF EXISTS '${login.user}'@'%'`);
      for (const grant of grants) await query(`GRANT ${grant} TO ?@'%'`, [login.user]);
      return login;
    },
    async stop() {
      if (stop === undefined) for (const leftover of leftovers.splice(0)) await query(`DROP ${leftover}`);
      // First, for a query that runs keeps its pool from ending.
      await stop?.();
      await Promise.all([...pools.values()].map((open) => open.end()));
      pools.clear();
    },
  };
}

/** The last statement's rows; none for a statement that yields none. */
export async function rowsOf(pool: Pick<Pool, 'query'>, sql: string, params: unknown[] = []): Promise<Row[]> {
  const [result] = await pool.query(sql, params);
  // Several statements yield one result each: rows, or a header for those without any.
  const results: unknown = Array.isArray(result) && !result.every(isRow) ? result.at(-1) : result;
  return Array.isArray(results) ? results.filter(isRow) : [];
}

function isRow(result: unknown): result is Row {
  return typeof result === 'object' && !Array.isArray(result) && !isHeader(result);
}

function isHeader(result: unknown): boolean {
  return typeof result === 'object' && result !== null && result.constructor.name === 'ResultSetHeader';
}

function openPool(at: Address, database: string): Pool {
  return createPool({
    ...at,
    ...(database === '' ? {} : { database }),
    connectionLimit: 4,
    dateStrings: true,
    timezone: '+00:00',
    multipleStatements: true,
    charset: 'utf8mb4_general_ci',
  });
}
