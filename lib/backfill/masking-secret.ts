import { randomBytes } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { sameBytes } from '../core/bytes.ts';
import { InputError, MaskingSecretGoneError, StoreError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import type { Seconds } from '../core/time.ts';

/*
 * All windows of a release share a masking secret, so that its drops join; those of a long backfill share one as well.
 * It is in Secrets Manager, encrypted with KMS, until the release is complete, or is stopped, or 30 days have passed,
 * and is then destroyed without recovery.
 */

export interface SecretPlace {
  readonly client: SecretsManagerClient;
  /** `star-compactor-prod/backfill` */
  readonly prefix: string;
  readonly signal: AbortSignal;
}

/** Whose a secret is, as its name goes on: `release/NAME`, or `execution/NAME` of a backfill without a release. */
export type SecretOwner = `${'release' | 'execution'}/${string}`;

export function ownerOf(release: string | undefined, execution: string): SecretOwner {
  return release === undefined ? `execution/${execution}` : `release/${release}`;
}

/** @throws InputError outside of the project's state machine, where no place for such secrets is set */
export function secretPlace(
  { backfillSecrets: prefix }: Settings,
  client: SecretsManagerClient,
  signal: AbortSignal,
): SecretPlace {
  if (prefix !== undefined) return { client, prefix, signal };
  throw new InputError('STAR_BACKFILL_SECRETS: got nothing; accepted: a prefix of names of secrets');
}

/** Whether the windows of a backfill need one: for their masks, or of a release to prove its settings. */
export function needsSecret(release: string | undefined, { masking, maskingSecret }: Settings): boolean {
  return release !== undefined || (masking === 'sha2-salted' && maskingSecret === undefined);
}

/** Disposing of it clears its bytes. */
export interface BackfillSecret extends Disposable {
  /** 32 bytes, for the masks where the operator holds no secret. */
  readonly salt: Buffer;
  /** 32 bytes, for the HMAC of a release's settings. */
  readonly key: Buffer;
}

const BYTES = 32;

/** Makes the secret, unless an earlier plan, or a repeated request, has made it. */
export async function makeSecret(place: SecretPlace, owner: SecretOwner): Promise<void> {
  const bytes = randomBytes(2 * BYTES);
  const Description = 'Masks of one release or backfill; destroyed when it is complete';
  const command = new CreateSecretCommand({ Name: nameOf(place, owner), Description, SecretBinary: bytes });
  await attempt(place, 'make', ['ResourceExistsException'], () =>
    place.client.send(command, { abortSignal: place.signal }),
  ).finally(() => bytes.fill(0));
}

/** @throws MaskingSecretGoneError where it has been destroyed */
export async function readSecret(place: SecretPlace, owner: SecretOwner): Promise<BackfillSecret> {
  const command = new GetSecretValueCommand({ SecretId: nameOf(place, owner) });
  // The second is the answer about one that is being destroyed.
  const gone = ['ResourceNotFoundException', 'InvalidRequestException'];
  const found = await attempt(place, 'read', gone, () =>
    place.client.send(command, { abortSignal: place.signal }),
  );
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
  const SecretId = nameOf(place, owner);
  const command = new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true });
  await attempt(place, 'destroy', ['ResourceNotFoundException'], () =>
    place.client.send(command, { abortSignal: place.signal }),
  );
}

/** The secrets that are there, and when they were made. */
export async function* listSecrets(
  place: SecretPlace,
): AsyncGenerator<{ readonly owner: SecretOwner; readonly made: Seconds }, void, void> {
  const { client, prefix, signal } = place;
  const Filters = [{ Key: 'name' as const, Values: [`${prefix}/`] }];
  for (let NextToken: string | undefined; ;) {
    const command = new ListSecretsCommand({ Filters, ...(NextToken && { NextToken }) });
    const page = await attempt(place, 'list', [], () => client.send(command, { abortSignal: signal }));
    for (const { Name = '', CreatedDate } of page?.SecretList ?? []) {
      const owner = Name.startsWith(`${prefix}/`) ? Name.slice(prefix.length + 1) : '';
      const isOurs = /^(release|execution)\/./.test(owner);
      if (isOurs) yield { owner: owner as SecretOwner, made: (CreatedDate?.getTime() ?? 0) / 1000 };
    }
    NextToken = page?.NextToken;
    if (NextToken === undefined) return;
  }
}

const nameOf = ({ prefix }: SecretPlace, owner: SecretOwner): string => `${prefix}/${owner}`;

/** @returns undefined for an error of one of these names */
async function attempt<T>(
  { signal }: SecretPlace,
  verb: string,
  harmless: readonly string[],
  send: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await send();
  } catch (error) {
    signal.throwIfAborted();
    const name = error instanceof Error ? error.name : '';
    if (harmless.includes(name)) return undefined;
    throw new StoreError(`could not ${verb} a backfill's masking secret: ${name}`);
  }
}
