import { isIP } from 'node:net';
import { InputError } from '../errors.ts';
import type { CellConnection, Tls } from './connection.ts';

/** nova.conf spells the driver into the scheme; it makes no difference here. */
const SCHEMES = [
  'mysql:',
  'mysql+pymysql:',
  'mysql+mysqldb:',
  'mysql+mysqlconnector:',
  'mariadb:',
  'mariadb+pymysql:',
];

const FORM = 'mysql://USER:PASSWORD@HOST:PORT/DATABASE?ssl=verify|rds|off';

export function looksLikeDsn(text: string): boolean {
  return /^(mysql|mariadb)(\+\w+)?:/.test(text);
}

/**
 * Reads a database DSN as operators keep it.
 *
 * @param where names the DSN in errors, such as `secret: cells: cell1`
 * @param common TLS as said for all cells of the secret
 * @throws InputError that names the part, never what it holds
 */
export function parseDsn(text: string, where: string, cell: string, common: TlsOptions = {}): CellConnection {
  const refuse = (part: string, accepted: string): never => {
    throw new InputError(`${where}: ${part}: accepted: ${accepted}`);
  };
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

  const own: TlsOptions = {};
  for (const [key, value] of url.searchParams) {
    if (key === 'ssl') own.ssl = value;
    else if (key === 'ssl_ca') own.ca = value;
    // Not named: a bare ? in a password makes the rest of it look like parameters.
    else if (key !== 'charset') refuse('DSN: parameters', 'ssl, ssl_ca, charset; a ? in the password is %3F');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    cell,
    host,
    port: url.port === '' ? 3306 : Number(url.port),
    user: decode('user', url.username),
    password: decode('password', url.password),
    database,
    tls: readTls(preferOwn(own, common), host, where),
  };
}

export interface TlsOptions {
  ssl?: string;
  ca?: string;
}

/** What a cell says itself counts before what is said for all cells. */
export function preferOwn(own: TlsOptions, common: TlsOptions): TlsOptions {
  if (own.ssl === undefined && own.ca === undefined) return common;
  const usesCa = own.ssl === undefined || VERIFYING.includes(own.ssl);
  return usesCa && common.ca !== undefined ? { ca: common.ca, ...own } : own;
}

const VERIFYING = ['verify', 'true'];

/** TLS is verified unless the secret says otherwise in so many words. */
export function readTls(options: TlsOptions, host: string, where: string): Tls {
  const mode = options.ssl ?? 'verify';
  if (isIP(host) !== 0 && !['off', 'false'].includes(mode)) {
    // The driver compares the certificate with "localhost" where the host is an address.
    throw new InputError(
      `${where}: host: an address cannot be verified; ` +
        'accepted: the name in the server’s certificate, or ssl=off for no TLS at all',
    );
  }
  if (options.ca !== undefined && !options.ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new InputError(`${where}: ssl_ca: accepted: the text of a PEM certificate, not a path`);
  }
  if (options.ca !== undefined && !VERIFYING.includes(mode)) {
    throw new InputError(`${where}: ssl: contradicts the given ssl_ca; accepted: verify`);
  }
  switch (mode) {
    case 'verify':
    case 'true':
      return options.ca === undefined ? { mode: 'verify' } : { mode: 'verify', ca: options.ca };
    case 'rds':
      return { mode: 'rds' };
    case 'off':
    case 'false':
      return { mode: 'off' };
    default:
      throw new InputError(`${where}: ssl: accepted: verify, rds, off`);
  }
}
