import type { CloudConnection } from '../connection/connection.ts';
import { parseSecret } from '../connection/secret.ts';
import { InputError } from '../core/errors.ts';
import { type DatabaseOptions, connectionToDatabases } from './database-connection.ts';
import { named } from './named.ts';
import { type OpenStackOptions, connectionToOpenStack, openStackFromText } from './openstack-connection.ts';
import { readInput } from './terminal.ts';

/**
 * The way to a cloud as a command is told it: a secret's file in any form; databases, if an option says where they
 * are; else OpenStack's API, by options or the environment.
 *
 * @param secret a file, or `-` for standard input
 * @throws InputError where it is given in several ways, or not at all
 */
export async function connectionTo(
  secret: string | undefined,
  databases: DatabaseOptions,
  openStack: OpenStackOptions,
): Promise<CloudConnection> {
  const [hasDatabases, hasOpenStack] = [databases, openStack].map((each) => Object.keys(each).length > 0);
  if ([secret !== undefined, hasDatabases, hasOpenStack].filter(Boolean).length > 1) {
    throw new InputError(
      '--secret: the cloud is given in several ways; accepted: --secret, --osrc, or options for databases',
    );
  }
  if (secret !== undefined) return fromSecretFile(secret, '--secret');
  if (hasDatabases) return connectionToDatabases(databases);
  return connectionToOpenStack(openStack, '--secret FILE, --osrc FILE, or --host for databases');
}

/** @param option names the file in errors */
export async function fromSecretFile(path: string, option: string): Promise<CloudConnection> {
  const text = await readInput(path, option);
  // A secret that is not for the API is for databases; one for the API may ask for a password, and name a file of
  // authorities.
  const isDatabase = await parseSecret(text).then(
    ({ kind }) => kind === 'database',
    () => false,
  );
  const name = path === '-' ? 'standard input' : path;
  return isDatabase ? named(name, () => parseSecret(text)) : openStackFromText(name, text);
}
