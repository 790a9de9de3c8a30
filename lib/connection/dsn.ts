import { InputError } from '../core/errors.ts';
import type { CellConnection } from './connection.ts';
import { type TlsOptions, preferOwn, readTlsTo } from './database-tls.ts';

/** nova.conf puts the driver's name into the scheme; it makes no difference here. */
const SCHEMES = [
  'mysql:',
  'mysql+pymysql:',
  'mysql+mysqldb:',
  'mysql+mysqlconnector:',
  'mariadb:',
  'mariadb+pymysql:',
];

const FORM = 'mysql://USER:PASSWORD@HOST:PORT/DATABASE?ssl=verify|verify-ca|rds|off';

const PARAMETERS: Readonly<Record<string, keyof TlsOptions>> = {
  ssl: 'ssl',
  ssl_ca: 'ca',
  ssl_name: 'name',
  server_public_key: 'serverKey',
};

const NO_CLIENT_CERTIFICATE = 'is for client certificates, which are not supported; accepted: none';
const NO_USE = 'has no use here; accepted: the DSN without it';
const BY_SSL = 'is set by ssl here; accepted: ssl=verify, verify-ca, rds or off';

/** What oslo.db's DSNs carry for SQLAlchemy and its drivers. Only these may be named: the rest may be a password. */
const REFUSED: Readonly<Record<string, string>> = {
  unix_socket:
    'is a socket of one machine; accepted: a host, or on that machine the command db-dump --socket PATH',
  ssl_cert: NO_CLIENT_CERTIFICATE,
  ssl_key: NO_CLIENT_CERTIFICATE,
  ssl_verify_cert: BY_SSL,
  ssl_verify_identity: BY_SSL,
  ssl_check_hostname: BY_SSL,
  ssl_disabled: BY_SSL,
  ssl_mode: BY_SSL,
  ssl_capath: 'is a path; accepted: ssl_ca with the text of the PEM',
  read_default_file: 'is a path; accepted: user, password and host in the DSN',
  read_default_group: NO_USE,
  ssl_cipher: NO_USE,
  autocommit: NO_USE,
  binary_prefix: NO_USE,
  client_flag: NO_USE,
  connect_timeout: NO_USE,
  init_command: NO_USE,
  local_infile: NO_USE,
  plugin: NO_USE,
  read_timeout: NO_USE,
  sql_mode: NO_USE,
  use_unicode: NO_USE,
  write_timeout: NO_USE,
};

export function looksLikeDsn(text: string): boolean {
  return /^(mysql|mariadb)(\+\w+)?:/.test(text);
}

/** Also where the password has characters that should have been percent-encoded. */
export function holdsPassword(dsn: string): boolean {
  return /^[^:]*:\/*[^/@]*:.*@/s.test(dsn);
}

/**
 * Reads a database DSN as operators keep it.
 *
 * @param where names the DSN in errors, such as `secret: cells: cell1`
 * @param common TLS settings for all cells of the secret
 * @throws InputError that names the part, never what it holds
 */
export function parseDsn(text: string, where: string, cell: string, common: TlsOptions = {}): CellConnection {
  const refuse = (part: string, accepted: string): never => {
    throw new InputError(`${where}: ${part}: accepted: ${accepted}`);
  };
  if (/[?&]unix_socket=/.test(text))
    throw new InputError(`${where}: DSN: unix_socket: ${REFUSED['unix_socket']}`);
  if (hasSeveralHosts(text))
    refuse('DSN: host', 'one host: a server of the cluster, or the address of its load balancer');
  if (!URL.canParse(text)) refuse('DSN', `${FORM}, with special characters of the password percent-encoded`);
  const url = new URL(text);
  if (!SCHEMES.includes(url.protocol))
    refuse('DSN: scheme', SCHEMES.map((scheme) => `${scheme}//`).join(', '));
  if (url.hash !== '') refuse('DSN: password', 'no bare #, write %23');

  const decode = (part: string, value: string): string => {
    try {
      return decodeURIComponent(value);
    } catch {
      return refuse(`DSN: ${part}`, 'valid percent-encoding, % itself is %25');
    }
  };
  const database = decode('database', url.pathname.slice(1));
  if (url.hostname === '') refuse('DSN: host', 'a host name or address');
  if (url.username === '') refuse('DSN: user', 'a user name');
  if (database === '' || database.includes('/')) refuse('DSN: database', 'one database name after the host');

  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    cell,
    host,
    port: url.port === '' ? 3306 : Number(url.port),
    user: decode('user', url.username),
    password: decode('password', url.password),
    database,
    tls: readTlsTo(host, preferOwn(readParameters(url.searchParams, where), common), `${where}: `),
  };
}

function readParameters(parameters: URLSearchParams, where: string): TlsOptions {
  const own: { -readonly [Name in keyof TlsOptions]: string } = {};
  for (const [key, value] of parameters) {
    const option = Object.hasOwn(PARAMETERS, key) ? PARAMETERS[key] : undefined;
    if (option !== undefined) own[option] = value;
    else if (Object.hasOwn(REFUSED, key)) throw new InputError(`${where}: DSN: ${key}: ${REFUSED[key]}`);
    else if (key !== 'charset') {
      throw new InputError(
        `${where}: DSN: parameters: accepted: ${Object.keys(PARAMETERS).join(', ')}, charset; a ? in the password is %3F`,
      );
    }
  }
  return own;
}

/** The form that drivers for clusters accept: `HOST1:3306,HOST2:3306`. */
function hasSeveralHosts(text: string): boolean {
  const authority = /^[^/]*\/\/([^/?#]*)/.exec(text)?.[1] ?? '';
  // If there is no @, an unescaped / or ? in the password has ended this part.
  return authority.includes('@') && authority.slice(authority.lastIndexOf('@')).includes(',');
}
