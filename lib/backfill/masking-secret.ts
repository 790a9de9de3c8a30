import { randomBytes } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  type SecretsManagerClient,
  paginateListSecrets,
} from '@aws-sdk/client-secrets-manager';
import { sameBytes } from '../core/bytes.ts';
import { InputError, MaskingSecretGoneError, StoreError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import type { Seconds } from '../core/time.ts';

/*
 * All windows of a release share a masking secret, so that its drops join. The windows of a long backfill share one, too.
 * Secrets Manager keeps it, encrypted with KMS, until the release is complete or stopped, or 30 days have passed. Then
 * it is destroyed without recovery.
 */

/** The last part of a secret's name: `release/NAME`, or `execution/NAME` of a backfill without a release. */
export type SecretOwner = `${'release' | 'execution'}/${string}`;

export function ownerOf(release: string | undefined, execution: string): SecretOwner {
  return release === undefined ? `execution/${execution}` : `release/${release}`;
}

/** @throws InputError if the deployment has no place for such secrets */
export function secretPlace(
  { backfillSecrets: prefix }: Settings,
  client: SecretsManagerClient,
  signal: AbortSignal,
) {
  if (prefix !== undefined) return { client, prefix, signal };
  throw new InputError('STAR_BACKFILL_SECRETS: got nothing; accepted: a prefix of names of secrets');
}

export type SecretPlace = ReturnType<typeof secretPlace>;

/** Disposing of it clears its bytes. */
export interface BackfillSecret extends Disposable {
  /** 32 bytes, for the masks if the operator holds no secret. */
  readonly salt: Buffer;
  /** 32 bytes, for the HMAC of a release's settings. */
  readonly key: Buffer;
}

const BYTES = 32;

/** @returns false if it was there: an earlier plan, or a repeated request, has made it */
export async function makeSecret(place: SecretPlace, owner: SecretOwner): Promise<boolean> {
  const SecretBinary = randomBytes(2 * BYTES);
  const Description = 'Masks of one release or backfill; destroyed when it is complete';
  const command = new CreateSecretCommand({ Name: nameOf(place, owner), Description, SecretBinary });
  try {
    const there = ['ResourceExistsException'];
    return (await attempt(place, 'make', there, (client, how) => client.send(command, how))) !== undefined;
  } finally {
    SecretBinary.fill(0);
  }
}

/** @throws MaskingSecretGoneError if it was destroyed */
export async function readSecret(place: SecretPlace, owner: SecretOwner): Promise<BackfillSecret> {
  const command = new GetSecretValueCommand({ SecretId: nameOf(place, owner) });
  // The second is the answer about one that is being destroyed.
  const gone = ['ResourceNotFoundException', 'InvalidRequestException'];
  const found = await attempt(place, 'read', gone, (client, how) => client.send(command, how));
  if (found?.SecretBinary === undefined) {
    throw new MaskingSecretGoneError(
      `the masking secret of ${owner} has been destroyed; ` +
        (owner.startsWith('release/')
          ? 'choose another name, or delete the incomplete release’s folder and ask again'
          : 'start the backfill again: windows that are published stay'),
    );
  }
  const bytes = sameBytes(found.SecretBinary);
  const [salt, key] = [bytes.subarray(0, BYTES), bytes.subarray(BYTES)];
  return { salt, key, [Symbol.dispose]: () => void bytes.fill(0) };
}

export async function destroySecret(place: SecretPlace, owner: SecretOwner): Promise<void> {
  const command = new DeleteSecretCommand({
    SecretId: nameOf(place, owner),
    ForceDeleteWithoutRecovery: true,
  });
  await attempt(place, 'destroy', ['ResourceNotFoundException'], (client, how) => client.send(command, how));
}

/** The existing secrets, and when each was made. */
export async function listSecrets(place: SecretPlace): Promise<ReadonlyMap<SecretOwner, Seconds>> {
  const prefix = `${place.prefix}/`;
  const found = new Map<SecretOwner, Seconds>();
  await attempt(place, 'list', [], async (client, how) => {
    const Filters = [{ Key: 'name' as const, Values: [prefix] }];
    for await (const { SecretList = [] } of paginateListSecrets({ client }, { Filters }, how))
      for (const { Name = '', CreatedDate } of SecretList) {
        const owner = Name.slice(prefix.length);
        if (Name.startsWith(prefix) && isOwner(owner))
          found.set(owner, (CreatedDate ?? new Date()).getTime() / 1000);
      }
  });
  return found;
}

const isOwner = (name: string): name is SecretOwner => /^(release|execution)\/./.test(name);

const nameOf = ({ prefix }: SecretPlace, owner: SecretOwner): string => `${prefix}/${owner}`;

/** @returns undefined for an error of one of the `harmless` names */
async function attempt<T>(
  { client, signal }: SecretPlace,
  verb: string,
  harmless: readonly string[],
  send: (client: SecretsManagerClient, how: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await send(client, { abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    const name = error instanceof Error ? error.name : '';
    if (harmless.includes(name)) return undefined;
    throw new StoreError(`could not ${verb} a backfill's masking secret: ${name}`);
  }
}
