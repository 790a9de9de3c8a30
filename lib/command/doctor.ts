import type { CloudConnection } from '../connection/connection.ts';
import { holdsPassword, looksLikeDsn } from '../connection/dsn.ts';
import { parseSecret } from '../connection/secret.ts';
import { utf8Text } from '../core/text.ts';
import { type Finding, examine, formatFinding, formatVerdict, verdictOf } from '../doctor/doctor.ts';
import { InputError } from '../core/errors.ts';
import { MINUTE } from '../core/time.ts';
import { fromSecretFile } from './connection.ts';
import { type DatabaseOptions, connectionToDatabases } from './database-connection.ts';
import { EXIT } from './exit.ts';
import { named } from './named.ts';
import { wholeNumber } from './numbers.ts';
import type { PlaceValues } from './place-options.ts';
import { connectionToOpenStack } from './openstack-connection.ts';
import { type GivenOptions, gatherValues } from './settings.ts';

export interface DoctorArguments extends GivenOptions {
  readonly secretId?: string;
  readonly settleMinutes: string;
}

/**
 * Examines a connection and prints every finding to standard output at once.
 *
 * @returns the exit status of the worst finding
 * @throws InputError if nothing is given to examine, or it cannot be read
 */
export async function doctor(
  secret: string | undefined,
  options: DoctorArguments,
  databases: DatabaseOptions,
  signal: AbortSignal,
): Promise<number> {
  const { secretId, settleMinutes } = options;
  const settleSeconds = wholeNumber('--settle-minutes', settleMinutes, 0, 1440) * MINUTE;
  const { place } = await gatherValues(options);
  const isCloudGiven = secret !== undefined || secretId !== undefined || Object.keys(databases).length > 0;
  // With a store alone there is something to examine, too.
  const hasCloud = isCloudGiven || place.STAR_TO === undefined || hasOpenStackVariables();
  const connection = hasCloud ? await connectionOf(secret, secretId, databases, signal) : undefined;
  const colour = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const findings: Finding[] = [];
  const print = async (examined: AsyncIterable<Finding>): Promise<void> => {
    for await (const finding of examined) {
      findings.push(finding);
      process.stdout.write(`${formatFinding(finding, { colour })}\n`);
    }
  };
  if (connection !== undefined) await print(examine(connection, { signal, settleSeconds }));
  if (place.STAR_TO !== undefined) await print(await storeFindings(place, signal));
  process.stdout.write(`${formatVerdict(findings, { colour })}\n`);
  return { fine: EXIT.done, lacking: EXIT.lacking, fatal: EXIT.failed }[verdictOf(findings)];
}

async function storeFindings(place: PlaceValues, signal: AbortSignal): Promise<AsyncIterable<Finding>> {
  const [{ openStore }, { examineStore }] = await Promise.all([
    import('./store.ts'),
    import('../doctor/store.ts'),
  ]);
  return (async function* () {
    await using opened = await openStore(place, { create: false });
    yield* examineStore(opened.store, opened.prefix, signal);
  })();
}

function hasOpenStackVariables(): boolean {
  return ['OS_AUTH_URL', 'OS_CLOUD'].some((name) => (process.env[name] ?? '') !== '');
}

async function connectionOf(
  secret: string | undefined,
  secretId: string | undefined,
  databases: DatabaseOptions,
  signal: AbortSignal,
): Promise<CloudConnection> {
  const hasOptions = Object.keys(databases).length > 0;
  const given = [secret !== undefined, secretId !== undefined, hasOptions].filter(Boolean).length;
  if (given > 1) {
    throw new InputError(
      'secret: given in several ways; accepted: a file or a DSN, --secret-id, or options for databases',
    );
  }
  if (secretId !== undefined) return fromSecretsManager(secretId, signal);
  if (hasOptions) return connectionToDatabases(databases);
  if (secret === undefined) return connectionToOpenStack({}, 'or a file: star-compactor doctor admin.rc');
  if (looksLikeDsn(secret)) {
    if (holdsPassword(secret)) {
      throw new InputError(
        'DSN: got a DSN with a password, which everybody on this machine can read; ' +
          'accepted: a file that holds the DSN, or - for standard input',
      );
    }
    return named('DSN', () => parseSecret(secret));
  }
  return fromSecretFile(secret, 'secret');
}

async function fromSecretsManager(id: string, signal: AbortSignal): Promise<CloudConnection> {
  const [{ openAwsClients }, { fetchSecret }] = await Promise.all([
    import('../runtime/aws-clients.ts'),
    import('../connection/fetch-secret.ts'),
  ]);
  using clients = openAwsClients();
  const secret = await fetchSecret(clients.secretsManager, id, '--secret-id', signal);
  return named(id, () => parseSecret(utf8Text(secret, 'secret')));
}
