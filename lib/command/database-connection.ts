import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { userInfo } from 'node:os';
import type { CellConnection, DatabaseConnection, Tls } from '../connection/connection.ts';
import { type TlsOptions, readTls } from '../connection/dsn.ts';
import { OPTION_FILES, type OptionFileValues, readOptionFiles } from '../connection/option-files.ts';
import { parseSecret } from '../connection/secret.ts';
import { InputError } from '../errors.ts';
import { named } from './named.ts';
import { askSecretly, readInput, say } from './terminal.ts';

/** As the mysql client names them; what is not given is looked for in its option files. */
export interface DatabaseOptions {
  readonly secret?: string;
  readonly host?: string;
  readonly port?: string;
  readonly socket?: string;
  readonly user?: string;
  readonly password?: true;
  readonly passwordFile?: string;
  /** Cell databases, all on one server. */
  readonly database?: readonly string[];
  readonly ssl?: string;
  readonly sslCa?: string;
  readonly defaultsFile?: string;
}

/** Where Debian's, Red Hat's and the vendors' servers put their socket. */
const SOCKETS = ['/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];

const DEFAULT_DATABASE = 'nova';

/**
 * The cells to read, from a secret's file or as the mysql client would find the server: options, then environment
 * (`MYSQL_PWD`, `MYSQL_TCP_PORT`, `MYSQL_UNIX_PORT`), then option files.
 *
 * @throws InputError naming the option
 */
export async function connectionToDatabases(options: DatabaseOptions): Promise<DatabaseConnection> {
  if (options.secret !== undefined) return fromSecret(options.secret, options);

  const file = options.defaultsFile;
  const found = await readOptionFiles(file === undefined ? OPTION_FILES : [file], {
    required: file !== undefined,
    warn: say,
  });
  const place = placeOf(options, found);
  const tls = await tlsOf(options, found, place);
  const user = options.user ?? found.get('user') ?? userInfo().username;
  const databases = options.database ?? [found.get('database') ?? DEFAULT_DATABASE];
  const twice = databases.find((name, at) => databases.indexOf(name) !== at);
  if (twice !== undefined) throw new InputError(`--database: got "${twice}" twice; accepted: each cell once`);
  const password = await passwordOf(options, found, user);
  const cells = databases.map((database): CellConnection => ({
    cell: cellOf(database),
    ...place,
    user,
    password,
    database,
    tls,
  }));
  return { kind: 'database', cells };
}

async function fromSecret(path: string, options: DatabaseOptions): Promise<DatabaseConnection> {
  const other = Object.keys(options).find((name) => name !== 'secret');
  if (other !== undefined) {
    throw new InputError(
      `--secret: holds all that opens the databases, but ${optionName(other)} is given too; accepted: one of them`,
    );
  }
  const connection = await named(path, async () => parseSecret(await readInput(path, '--secret')));
  if (connection.kind === 'database') return connection;
  throw new InputError(
    `--secret: ${path} opens OpenStack's API; accepted: databases, or the command api-dump`,
  );
}

function optionName(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

type Place = Pick<CellConnection, 'host' | 'port' | 'socket'>;

/** Without a host, or with `localhost`, the clients take the socket, unless they are told to use TCP. */
function placeOf(options: DatabaseOptions, found: OptionFileValues): Place {
  const host = options.host ?? found.get('host') ?? 'localhost';
  const port = portOf(options.port ?? found.get('port') ?? process.env['MYSQL_TCP_PORT'] ?? '3306');
  if (options.socket !== undefined) return { host, port, socket: options.socket };
  const wantsTcp = found.get('protocol')?.toLowerCase() === 'tcp' || options.port !== undefined;
  if (host !== 'localhost' || wantsTcp) return { host, port };
  const said = found.get('socket') ?? process.env['MYSQL_UNIX_PORT'];
  const socket = said ?? SOCKETS.find((path) => existsSync(path));
  return socket === undefined ? { host, port } : { host, port, socket };
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InputError(`--port: got "${text}"; accepted: 1 to 65535`);
}

/** What stays on this machine needs no TLS; everything else is verified, unless told otherwise in so many words. */
async function tlsOf(options: DatabaseOptions, found: OptionFileValues, place: Place): Promise<Tls> {
  const given = await givenTls(options, found);
  const isLocal = place.socket !== undefined || isLoopback(place.host);
  if (isLocal && given.ssl === undefined && given.ca === undefined) return { mode: 'off' };
  if (given.ssl === undefined && isIP(place.host) !== 0) {
    throw new InputError(
      `--host: got "${place.host}", and a certificate is for a name; accepted: that name, or --ssl off for no TLS`,
    );
  }
  return readTls(given, place.host, '--ssl');
}

async function givenTls(options: DatabaseOptions, found: OptionFileValues): Promise<TlsOptions> {
  const path = options.sslCa ?? found.get('ssl-ca');
  const isOff =
    found.has('skip-ssl') ||
    ['0', 'off', 'false'].includes(found.get('ssl')?.toLowerCase() ?? '') ||
    found.get('ssl-mode')?.toUpperCase() === 'DISABLED';
  const ssl = options.ssl ?? (isOff ? 'off' : undefined);
  // A CA in an option file is there for whoever wants TLS.
  if (ssl === 'off' && options.sslCa === undefined) return { ssl };
  return {
    ...(ssl === undefined ? {} : { ssl }),
    ...(typeof path === 'string' ? { ca: await readInput(path, '--ssl-ca') } : {}),
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

async function passwordOf(options: DatabaseOptions, found: OptionFileValues, user: string): Promise<string> {
  const prompt = (): Promise<string> => askSecretly(`Password of ${user}: `, '--password-file FILE');
  if (options.passwordFile !== undefined) {
    if (options.password === true)
      throw new InputError('--password: asks for what --password-file holds; accepted: one of them');
    // Editors end a file with a new line, and no password has one.
    return (await readInput(options.passwordFile, '--password-file')).replace(/\r?\n$/, '');
  }
  if (options.password === true) return prompt();
  const kept = process.env['MYSQL_PWD'] ?? found.get('password');
  // A password without a value in an option file asks for one.
  return kept === null ? prompt() : (kept ?? '');
}

/** Nova names cell databases after their cells, and cell0 is told from the others by its name. */
function cellOf(database: string): string {
  return database.endsWith('cell0') ? 'cell0' : database;
}
