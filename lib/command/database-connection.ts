import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { CellConnection, DatabaseConnection, Tls } from '../connection/connection.ts';
import { NO_TLS, OPTION_NAMES, type TlsOptions, readTls } from '../connection/database-tls.ts';
import { isLoopback } from '../connection/loopback.ts';
import { OPTION_FILES, type OptionFileValues, readOptionFiles } from '../connection/option-files.ts';
import { parseSecret } from '../connection/secret.ts';
import { InputError } from '../core/errors.ts';
import { named } from './named.ts';
import { askSecretly, readInput, say } from './terminal.ts';

/** Named as by the mysql client; missing values are looked up in its option files. */
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
  readonly sslName?: string;
  readonly serverPublicKeyPath?: string;
  readonly defaultsFile?: string;
}

/** Where Debian's, Red Hat's and the vendors' servers put their socket. */
const SOCKETS = ['/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];

const DEFAULT_DATABASE = 'nova';

/**
 * The cells to read, from a secret's file or as the mysql client would find the server: options, then option files,
 * then environment (`MYSQL_HOST`, `MYSQL_TCP_PORT`, `MYSQL_UNIX_PORT`, `MYSQL_PWD`).
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
    byOptions: true,
  }));
  const connection: DatabaseConnection = { kind: 'database', cells, services: {} };
  warnWithoutCell0(connection, '--database');
  return connection;
}

/** Only a warning, because it may be intended, and a Nova before Ocata has no cell0. */
function warnWithoutCell0({ cells }: DatabaseConnection, option: string): void {
  if (cells.some(({ cell, database }) => cell === 'cell0' || database.endsWith('cell0'))) return;
  say(`${option}: none of the cells is cell0, usually nova_cell0: builds that found no host are left out`);
}

async function fromSecret(path: string, options: DatabaseOptions): Promise<DatabaseConnection> {
  const other = Object.keys(options).find((name) => name !== 'secret');
  if (other !== undefined) {
    throw new InputError(
      `--secret: holds all that opens the databases, but ${optionName(other)} is given too; accepted: one of them`,
    );
  }
  const connection = await named(path, async () => parseSecret(await readInput(path, '--secret')));
  if (connection.kind === 'database') {
    warnWithoutCell0(connection, '--secret');
    return connection;
  }
  throw new InputError(
    `--secret: ${path} opens OpenStack's API; accepted: databases, or the command api-dump`,
  );
}

function optionName(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

type Place = Pick<CellConnection, 'host' | 'port' | 'socket'>;

/** Without a host, or with `localhost`, the clients use the socket, unless TCP is requested. */
function placeOf(options: DatabaseOptions, found: OptionFileValues): Place {
  const host = options.host ?? found.get('host') ?? inEnvironment('MYSQL_HOST') ?? 'localhost';
  const port = portOf(options, found);
  if (options.socket !== undefined) return { host, port, socket: options.socket };
  const wantsTcp = found.get('protocol')?.toLowerCase() === 'tcp' || options.port !== undefined;
  if (host !== 'localhost' || wantsTcp) return { host, port };
  const given = found.get('socket') ?? inEnvironment('MYSQL_UNIX_PORT');
  const socket = given ?? SOCKETS.find((path) => existsSync(path));
  return socket === undefined ? { host, port } : { host, port, socket };
}

/** An empty value counts as unset. */
function inEnvironment(name: string): string | undefined {
  const value = process.env[name] ?? '';
  return value === '' ? undefined : value;
}

function portOf(options: DatabaseOptions, found: OptionFileValues): number {
  const [where, text] =
    options.port !== undefined
      ? (['--port', options.port] as const)
      : typeof found.get('port') === 'string'
        ? (['port in an option file', found.get('port') ?? ''] as const)
        : (['MYSQL_TCP_PORT', inEnvironment('MYSQL_TCP_PORT') ?? '3306'] as const);
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InputError(`${where}: got "${text}"; accepted: 1 to 65535`);
}

/** A server on this machine needs no TLS; any other is verified, unless that is explicitly turned off. */
async function tlsOf(options: DatabaseOptions, found: OptionFileValues, place: Place): Promise<Tls> {
  const isLocal = place.socket !== undefined || isLoopback(place.host);
  const asked = await askedTls(options, found);
  const wantsTls = asked.ssl !== undefined || asked.ca !== undefined || asked.name !== undefined;
  const tls: TlsOptions = isLocal && !wantsTls ? { ...asked, ssl: 'off' } : asked;
  if (!NO_TLS.includes(tls.ssl ?? '')) return readTls(tls, '', OPTION_NAMES);
  const path = options.serverPublicKeyPath ?? found.get('server-public-key-path');
  const key =
    typeof path === 'string' ? { serverKey: await readInput(path, OPTION_NAMES.serverKey) } : undefined;
  return readTls({ ...tls, ...key }, '', OPTION_NAMES);
}

const OPTION_FILE_MODES: Readonly<Record<string, string>> = { DISABLED: 'off', VERIFY_CA: 'verify-ca' };

async function askedTls(options: DatabaseOptions, found: OptionFileValues): Promise<TlsOptions> {
  const isSkipped =
    found.has('skip-ssl') || ['0', 'off', 'false'].includes(found.get('ssl')?.toLowerCase() ?? '');
  const inFile = isSkipped ? 'off' : OPTION_FILE_MODES[found.get('ssl-mode')?.toUpperCase() ?? ''];
  const ssl = options.ssl ?? inFile;
  // A CA in an option file does not ask for TLS.
  const path = options.sslCa ?? (NO_TLS.includes(ssl ?? '') ? undefined : found.get('ssl-ca'));
  return {
    ...(ssl === undefined ? {} : { ssl }),
    ...(typeof path === 'string' ? { ca: await readInput(path, OPTION_NAMES.ca) } : {}),
    ...(options.sslName === undefined ? {} : { name: options.sslName }),
  };
}

async function passwordOf(options: DatabaseOptions, found: OptionFileValues, user: string): Promise<string> {
  const prompt = (): Promise<string> => askSecretly(`Password of ${user}: `, '--password-file FILE');
  if (options.passwordFile !== undefined) {
    if (options.password === true)
      throw new InputError(
        '--password: contradicts --password-file, which holds the password; accepted: one of them',
      );
    // Editors end a file with a new line, and no password has one.
    return (await readInput(options.passwordFile, '--password-file')).replace(/\r?\n$/, '');
  }
  if (options.password === true) return prompt();
  const kept = found.get('password');
  // An option file with `password` and no value makes the client ask for one.
  return kept === null ? prompt() : (kept ?? process.env['MYSQL_PWD'] ?? '');
}

/** Nova names cell databases after their cells, and the name identifies cell0. */
function cellOf(database: string): string {
  return database.endsWith('cell0') ? 'cell0' : database;
}
