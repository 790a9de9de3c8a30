import { randomBytes } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  type SecretsManagerClient,
  paginateListSecrets,
} from '@aws-sdk/client-secrets-manager';
import { sameBytes } from '../core/bytes.ts';
import { InputError, MaskingSecretGoneError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import type { Seconds } from '../core/time.ts';
import { type HowToAsk, ask } from '../runtime/ask.ts';

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
export function secretPlace(settings: Settings, client: SecretsManagerClient, signal: AbortSignal) {
  const { backfillSecrets: prefix, backfillMachine: machine } = settings;
  if (prefix !== undefined) return { client, prefix, machine, signal };
  throw new InputError('STAR_BACKFILL_SECRETS: got nothing; accepted: a prefix of names of secrets');
}

export type SecretPlace = ReturnType<typeof secretPlace>;
const nameOf = ({ prefix }: SecretPlace, owner: SecretOwner): string => `${prefix}/${owner}`;

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
  const { client, signal } = place;
  const SecretBinary = randomBytes(2 * BYTES);
  const Description = 'Masks of one release or backfill; destroyed when it is complete';
  const command = new CreateSecretCommand({ Name: nameOf(place, owner), Description, SecretBinary });
  const there = ['ResourceExistsException'];
  try {
    const send = (how: HowToAsk) => client.send(command, how);
    return (await ask('make a masking secret', signal, send, there)) !== undefined;
  } finally {
    SecretBinary.fill(0);
  }
}

/** @throws MaskingSecretGoneError if it was destroyed */
export async function readSecret(place: SecretPlace, owner: SecretOwner): Promise<BackfillSecret> {
  const { client, signal } = place;
  const command = new GetSecretValueCommand({ SecretId: nameOf(place, owner) });
  // The second is the answer about one that is being destroyed.
  const gone = ['ResourceNotFoundException', 'InvalidRequestException'];
  const found = await ask('read a masking secret', signal, (how) => client.send(command, how), gone);
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
  const { client, signal } = place;
  const SecretId = nameOf(place, owner);
  const command = new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true });
  const gone = ['ResourceNotFoundException'];
  await ask('destroy a masking secret', signal, (how) => client.send(command, how), gone);
}

/** The existing secrets, and when each was made. */
export async function listSecrets({ client, prefix, signal }: SecretPlace) {
  const found = new Map<SecretOwner, Seconds>();
  const Filters = [{ Key: 'name' as const, Values: [`${prefix}/`] }];
  await ask('list the masking secrets', signal, async (how) => {
    for await (const { SecretList = [] } of paginateListSecrets({ client }, { Filters }, how))
      for (const { Name = '', CreatedDate = new Date() } of SecretList) {
        const owner = Name.slice(prefix.length + 1);
        // The operator may keep others there.
        if (Name.startsWith(`${prefix}/`) && /^(release|execution)\/./.test(owner))
          found.set(owner as SecretOwner, CreatedDate.getTime() / 1000);
      }
  });
  return found;
}
