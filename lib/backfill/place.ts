import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { InputError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import type { SecretPlace } from './masking-secret.ts';

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
