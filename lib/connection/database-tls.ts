import { isIP } from 'node:net';
import { createPublicKey } from 'node:crypto';
import { InputError } from '../core/errors.ts';
import type { Tls } from './connection.ts';
import { isLoopback } from './loopback.ts';

/** Settings of TLS, as text. */
export interface TlsOptions {
  readonly ssl?: string;
  readonly ca?: string;
  readonly name?: string;
  readonly serverKey?: string;
}

/** Names of the settings as the operator writes them, for errors. */
export type TlsNames = Readonly<Record<keyof TlsOptions, string>>;

export const SECRET_NAMES: TlsNames = {
  ssl: 'ssl',
  ca: 'ssl_ca',
  name: 'ssl_name',
  serverKey: 'server_public_key',
};

export const OPTION_NAMES: TlsNames = {
  ssl: '--ssl',
  ca: '--ssl-ca',
  name: '--ssl-name',
  serverKey: '--server-public-key-path',
};

/** The setting that selects a mode: `ssl=off`, `--ssl off`. */
export function askFor(names: TlsNames, mode: string): string {
  return `${names.ssl}${names.ssl.startsWith('-') ? ' ' : '='}${mode}`;
}

export const NO_TLS = ['off', 'false'];
const NAMED = ['verify', 'true', 'rds'];
const WITH_CA = ['verify', 'true', 'verify-ca'];

/** Settings of a cell override those for all cells. */
export function preferOwn(own: TlsOptions, common: TlsOptions): TlsOptions {
  const asksForTls = own.ca !== undefined || own.name !== undefined;
  const ssl = own.ssl ?? (asksForTls && NO_TLS.includes(common.ssl ?? '') ? undefined : common.ssl);
  const mode = ssl ?? 'verify';
  // Common settings that do not fit this cell's mode are not meant for it.
  const { ca, name, serverKey } = {
    ...(WITH_CA.includes(mode) && common.ca !== undefined ? { ca: common.ca } : {}),
    ...(NAMED.includes(mode) && common.name !== undefined ? { name: common.name } : {}),
    ...(NO_TLS.includes(mode) && common.serverKey !== undefined ? { serverKey: common.serverKey } : {}),
    ...own,
  };
  return {
    ...(ssl === undefined ? {} : { ssl }),
    ...(ca === undefined ? {} : { ca }),
    ...(name === undefined ? {} : { name }),
    ...(serverKey === undefined ? {} : { serverKey }),
  };
}

/**
 * TLS is verified unless the operator explicitly turns that off.
 *
 * @param where names the secret or the cell in errors, followed by a colon
 * @throws InputError that names the option
 */
export function readTls(options: TlsOptions, where: string, names: TlsNames = SECRET_NAMES): Tls {
  const { ca, name, serverKey } = options;
  const refuse = (option: keyof TlsOptions, accepted: string): never => {
    throw new InputError(`${where}${names[option]}: ${accepted}`);
  };
  const mode = options.ssl ?? 'verify';
  if (![...WITH_CA, ...NO_TLS, 'rds'].includes(mode))
    return refuse('ssl', 'accepted: verify, verify-ca, rds, off');
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----'))
    refuse('ca', 'accepted: the text of a PEM certificate, not a path');
  if (ca !== undefined && !WITH_CA.includes(mode))
    refuse('ssl', `contradicts the given ${names.ca}; accepted: verify, verify-ca`);
  if (name !== undefined && !/^[\w.:-]{1,253}$/.test(name))
    refuse('name', 'accepted: the name or address in the server’s certificate');
  if (name !== undefined && !NAMED.includes(mode))
    refuse('ssl', `contradicts the given ${names.name}; accepted: verify, rds`);
  if (serverKey !== undefined && !NO_TLS.includes(mode))
    refuse('serverKey', `is for ${askFor(names, 'off')} alone; accepted: one of TLS and a pinned key`);

  const named = name === undefined ? {} : { name };
  if (mode === 'rds') return { mode, ...named };
  if (NO_TLS.includes(mode)) {
    if (serverKey === undefined) return { mode: 'off' };
    if (!isRsaKey(serverKey)) {
      refuse(
        'serverKey',
        'accepted: the server’s public RSA key as PEM (MySQL keeps it in public_key.pem of its data directory)',
      );
    }
    return { mode: 'off', serverKey };
  }
  if (mode !== 'verify-ca') return { mode: 'verify', ...(ca === undefined ? {} : { ca }), ...named };
  if (ca !== undefined) return { mode, ca };
  // With all public authorities, anybody could get a certificate for some name.
  return refuse('ssl', `verify-ca needs ${names.ca}; accepted: the authority that signs the server alone`);
}

/**
 * The same for a server whose host is known. A server on this machine needs no TLS by default, because nothing that is
 * sent to it leaves the machine.
 */
export function readTlsTo(host: string, options: TlsOptions, where: string): Tls {
  const isOwnAddress = isIP(host) !== 0 && isLoopback(host);
  const isSaid = Object.values(options).some((value) => value !== undefined);
  return isOwnAddress && !isSaid ? { mode: 'off' } : readTls(options, where);
}

function isRsaKey(pem: string): boolean {
  try {
    return pem.includes('-----BEGIN PUBLIC KEY-----') && createPublicKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}
