import * as z from 'zod/mini';
import { InputError } from '../core/errors.ts';
import { check } from '../core/validate.ts';
import {
  type CellConnection,
  type DatabaseConnection,
  SERVICE_NAMES,
  type ServiceDatabases,
} from './connection.ts';
import { type TlsOptions, preferOwn, readTlsTo } from './database-tls.ts';
import { parseDsn } from './dsn.ts';

/** The single database of a secret without cells; the name that Nova gives its first cell. */
const ONLY_CELL = 'cell1';

const nonEmpty = (accepted: string) =>
  z.string({ error: accepted }).check(z.minLength(1, { error: accepted }));

const port = z
  .pipe(z.union([z.string(), z.number()], { error: '1 to 65535' }), z.transform(Number))
  .check(z.refine((n) => Number.isInteger(n) && n > 0 && n < 65536, { error: '1 to 65535' }));

const tls = {
  ssl: z.optional(
    z.pipe(
      z.union([z.string(), z.boolean()], { error: 'verify, verify-ca, rds or off' }),
      z.transform(String),
    ),
  ),
  ssl_ca: z.optional(z.string({ error: 'the text of a PEM certificate' })),
  ssl_name: z.optional(z.string({ error: 'the name or address in the server’s certificate' })),
  server_public_key: z.optional(z.string({ error: 'the server’s public RSA key as PEM' })),
};

type TlsFields = { [Name in keyof typeof tls]?: string | undefined };

/** As AWS writes it for RDS; keys that do not describe the connection are accepted and ignored. */
const RdsSecret = z.strictObject({
  host: nonEmpty('a host name or address'),
  port: z.optional(port),
  username: nonEmpty('a user name'),
  password: z.string({ error: 'a password' }),
  dbname: nonEmpty('the name of the cell database'),
  engine: z.optional(z.enum(['mysql', 'mariadb', 'aurora-mysql', 'aurora'], { error: 'mysql or mariadb' })),
  dbInstanceIdentifier: z.optional(z.string()),
  dbClusterIdentifier: z.optional(z.string()),
  masterarn: z.optional(z.string()),
  ...tls,
});

const oneDatabase = z.union([z.string(), z.looseObject({})], {
  error: 'a DSN, or JSON with host, username, password and dbname',
});

const CellsSecret = z.strictObject({
  cells: z.record(
    z.string().check(z.regex(/^[\w.-]{1,64}$/, { error: 'a cell name of letters, digits, dots, hyphens' })),
    oneDatabase,
    { error: 'an object of cell names and their DSNs' },
  ),
  placement: z.optional(oneDatabase),
  ironic: z.optional(oneDatabase),
  blazar: z.optional(oneDatabase),
  nova_api: z.optional(oneDatabase),
  ...tls,
});

/**
 * One DSN: the only cell's.
 *
 * @throws InputError that names the part, never what it holds
 */
export function dsnConnection(dsn: string): DatabaseConnection {
  return database([parseDsn(dsn, 'secret', ONLY_CELL)]);
}

/**
 * JSON of one database as AWS writes it for RDS, or of several `cells`.
 *
 * @throws InputError that names the field and what is accepted; never a value of the secret
 */
export function databaseConnection(value: object): DatabaseConnection {
  if (!('cells' in value)) return database([parseRds(value, 'secret', ONLY_CELL)]);

  const { cells, ...options } = check(CellsSecret, value, { what: 'secret', hidden: true });
  const common = tlsOptions(options);
  const parse = (dsn: string | object, where: string, cell: string): CellConnection =>
    typeof dsn === 'string' ? parseDsn(dsn, where, cell, common) : parseRds(dsn, where, cell, common);
  const connections = Object.entries(cells).map(([cell, dsn]) => parse(dsn, `secret: cells: ${cell}`, cell));
  if (connections.length === 0) throw new InputError('secret: cells: accepted: at least one cell');
  const services: { -readonly [Name in keyof ServiceDatabases]: ServiceDatabases[Name] } = {};
  for (const name of SERVICE_NAMES) {
    const given = options[name];
    if (given !== undefined) services[name] = parse(given, `secret: ${name}`, name);
  }
  return database(connections, services);
}

function parseRds(value: object, where: string, cell: string, common: TlsOptions = {}): CellConnection {
  const rds = check(RdsSecret, value, { what: where, hidden: true });
  return {
    cell,
    host: rds.host,
    port: rds.port ?? 3306,
    user: rds.username,
    password: rds.password,
    database: rds.dbname,
    tls: readTlsTo(rds.host, preferOwn(tlsOptions(rds), common), `${where}: `),
  };
}

function tlsOptions({
  ssl,
  ssl_ca: ca,
  ssl_name: name,
  server_public_key: serverKey,
}: TlsFields): TlsOptions {
  return {
    ...(ssl === undefined ? {} : { ssl }),
    ...(ca === undefined ? {} : { ca }),
    ...(name === undefined ? {} : { name }),
    ...(serverKey === undefined ? {} : { serverKey }),
  };
}

function database(cells: CellConnection[], services: ServiceDatabases = {}): DatabaseConnection {
  const seen = new Map<string, string>();
  for (const connection of [...cells, ...Object.values(services)]) {
    const { cell, host, port: at, database: name } = connection;
    const other = seen.get(`${host}:${at}/${name}`);
    if (other !== undefined) {
      const field = cells.includes(connection) ? `cells: ${cell}` : cell;
      throw new InputError(
        `secret: ${field}: names the same database as ${other}; accepted: each database once`,
      );
    }
    seen.set(`${host}:${at}/${name}`, cell);
  }
  return { kind: 'database', cells, services };
}
