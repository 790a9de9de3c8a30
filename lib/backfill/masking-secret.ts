import { randomBytes } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { sameBytes } from '../bytes.ts';
import { InputError, MaskingSecretGoneError, StoreError } from '../errors.ts';
import type { Settings } from '../settings.ts';

/*
 * All windows of one execution share a masking secret, so that its drops join. It lives in Secrets Manager, encrypted
 * with KMS, for as long as the execution does, and is destroyed without recovery when that ends, however it ends.
 */

export interface SecretPlace {
  readonly client: SecretsManagerClient;
  /** `star-compactor-prod/backfill` */
  readonly prefix: string;
  readonly signal: AbortSignal;
}

/** @throws InputError outside of the project's state machine, where no place for such secrets is set */
export function secretPlace(
  { backfillSecrets: prefix }: Settings,
  client: SecretsManagerClient,
  signal: AbortSignal,
): SecretPlace {
  if (prefix === undefined) {
    throw new InputError('STAR_BACKFILL_SECRETS: got nothing; accepted: a prefix of names of secrets');
  }
  return { client, prefix, signal };
}

/** Whether executions need a masking secret of their own. */
export function needsSecret({ masking, maskingSecret }: Settings): boolean {
  return masking === 'sha2-salted' && maskingSecret === undefined;
}

const BYTES = 32;

/** Makes the secret of an execution, unless it is there. */
export async function makeSecret({ client, prefix, signal }: SecretPlace, execution: string): Promise<void> {
  const secret = {
    Name: `${prefix}/${execution}`,
    Description: 'Masks of one backfill; destroyed when it ends',
    SecretBinary: randomBytes(BYTES),
  };
  try {
    await client.send(new CreateSecretCommand(secret), { abortSignal: signal });
  } catch (error) {
    // Two windows may find it gone at the same time.
    if (nameOf(error) === 'ResourceExistsException') return;
    throw failure('make', error, signal);
  } finally {
    secret.SecretBinary.fill(0);
  }
}

/** @throws MaskingSecretGoneError where it has been destroyed */
export async function readSecret(
  { client, prefix, signal }: SecretPlace,
  execution: string,
): Promise<Buffer> {
  try {
    const command = new GetSecretValueCommand({ SecretId: `${prefix}/${execution}` });
    const { SecretBinary } = await client.send(command, { abortSignal: signal });
    if (SecretBinary !== undefined) return sameBytes(SecretBinary);
  } catch (error) {
    // The second is the answer about one that is being destroyed.
    const isGone = ['ResourceNotFoundException', 'InvalidRequestException'].includes(nameOf(error));
    if (!isGone) throw failure('read', error, signal);
  }
  throw new MaskingSecretGoneError('the masking secret of this backfill has been destroyed');
}

export async function destroySecret(
  { client, prefix, signal }: SecretPlace,
  execution: string,
): Promise<void> {
  const command = new DeleteSecretCommand({
    SecretId: `${prefix}/${execution}`,
    ForceDeleteWithoutRecovery: true,
  });
  try {
    await client.send(command, { abortSignal: signal });
  } catch (error) {
    if (nameOf(error) !== 'ResourceNotFoundException') throw failure('destroy', error, signal);
  }
}

/** Executions whose secret is there. */
export async function executionsWithSecret({ client, prefix, signal }: SecretPlace): Promise<string[]> {
  const executions: string[] = [];
  for (let token: string | undefined; ;) {
    const command = new ListSecretsCommand({
      Filters: [{ Key: 'name', Values: [`${prefix}/`] }],
      ...(token === undefined ? {} : { NextToken: token }),
    });
    const page = await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
      throw failure('list', error, signal);
    });
    for (const { Name = '' } of page.SecretList ?? []) {
      if (Name.startsWith(`${prefix}/`)) executions.push(Name.slice(prefix.length + 1));
    }
    token = page.NextToken;
    if (token === undefined) return executions;
  }
}

function failure(verb: string, error: unknown, signal: AbortSignal): Error {
  signal.throwIfAborted();
  return new StoreError(`could not ${verb} a backfill's masking secret: ${nameOf(error)}`);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
