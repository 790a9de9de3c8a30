import { randomUUID } from 'node:crypto';
import type { AwsClients } from '../runtime/aws-clients.ts';
import type { CloudConnection } from '../connection/connection.ts';
import { fetchSecret } from '../connection/fetch-secret.ts';
import { parseSecret } from '../connection/secret.ts';
import { utf8Text } from '../core/text.ts';
import type { Invocation } from './invocation.ts';
import type { OpenWatch } from './watch.ts';
import type { Log } from '../core/log.ts';
import { deployedStore, placeOf } from './place.ts';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { STATE_KEY_BYTES } from '../source/seal.ts';
import { openSource } from '../source/open-source.ts';
import { TABLES } from '../tables/registry.ts';
import { type Masking, SECRET_BYTES, createMasking } from '../transform/masking.ts';

/**
 * Makes everything that lives as long as one invocation: the opened secret, the source, the masks. Dispose of it
 * to forget the masking secret.
 *
 * @param openWatch undefined if drops have no report
 * @param shared a masking secret that several invocations share, used if the operator holds none. It is cleared, also if
 *   this function fails
 * @throws InputError if a secret is not there or not accepted; nothing has been opened then
 */
export async function openInvocation(
  settings: Settings,
  clients: AwsClients,
  signal: AbortSignal,
  log: Log,
  openWatch: OpenWatch | undefined,
  shared?: Buffer,
): Promise<Invocation & Disposable> {
  let masking: Masking | undefined;
  let stateKey: Buffer | undefined;
  try {
    const secret = await fetchSecret(clients.secretsManager, settings.secret, 'STAR_SECRET', signal);
    const connection = await parseSecret(utf8Text(secret, 'STAR_SECRET'));
    masking = await openMasking(settings, clients, signal, shared);
    stateKey = await fetchStateKey(settings, clients, signal);
    const store = deployedStore(settings, clients);
    return await makeInvocation({ settings, connection, store, masking, stateKey, openWatch, log, signal });
  } catch (error) {
    stateKey?.fill(0);
    masking?.[Symbol.dispose]();
    shared?.fill(0);
    throw error;
  }
}

/** All that an invocation is made of, wherever that came from. */
export interface Parts extends Pick<
  Invocation,
  'settings' | 'store' | 'masking' | 'openWatch' | 'log' | 'signal' | 'progress'
> {
  readonly connection: CloudConnection;
  /** 32 bytes that seal the names of machines; cleared with the invocation. */
  readonly stateKey?: Buffer | undefined;
}

/** Dispose of it to forget the masking secret. */
export async function makeInvocation(parts: Parts): Promise<Invocation & Disposable> {
  const { settings, connection, store, masking, stateKey, openWatch, log, signal, progress } = parts;
  return {
    run: randomUUID(),
    settings,
    source: await openSource(connection, settings, (text) => log(text), stateKey),
    tables: TABLES.filter(({ name }) => settings.tables.includes(name)),
    masking,
    openWatch,
    ...placeOf(settings, store, signal),
    log,
    progress,
    [Symbol.dispose]() {
      stateKey?.fill(0);
      masking[Symbol.dispose]();
    },
  };
}

/**
 * Makes the masks with the operator's secret if there is one, else with the shared one, else with a new one.
 *
 * @throws InputError if the operator's secret is not there or too short
 */
export async function openMasking(
  { masking, maskingSecret }: Settings,
  { secretsManager }: AwsClients,
  signal: AbortSignal,
  shared?: Buffer,
): Promise<Masking> {
  if (maskingSecret === undefined) return createMasking(masking, shared);
  shared?.fill(0);
  const held = await fetchSecret(secretsManager, maskingSecret, 'STAR_MASKING_SECRET', signal);
  if (held.length >= SECRET_BYTES) return createMasking(masking, held);
  const came = held.length;
  held.fill(0);
  throw new InputError(
    `STAR_MASKING_SECRET: holds ${came} bytes; accepted: at least ${SECRET_BYTES} random bytes`,
  );
}

/** @throws InputError if it is not there, or has another length */
async function fetchStateKey(
  { stateKey }: Pick<Settings, 'stateKey'>,
  { secretsManager }: AwsClients,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  if (stateKey === undefined) return undefined;
  return checkStateKey(await fetchSecret(secretsManager, stateKey, 'STAR_STATE_KEY', signal));
}

/** @throws InputError if it has another length; it is cleared then */
export function checkStateKey(key: Buffer): Buffer {
  if (key.length === STATE_KEY_BYTES) return key;
  const came = key.length;
  key.fill(0);
  throw new InputError(`STAR_STATE_KEY: holds ${came} bytes; accepted: ${STATE_KEY_BYTES} random bytes`);
}
