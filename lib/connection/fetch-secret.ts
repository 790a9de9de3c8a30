import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { sameBytes } from '../core/bytes.ts';
import { InputError, StarError } from '../core/errors.ts';

/**
 * Reads a secret's current value, text or bytes. Errors do not quote `id`: it may be a secret itself, misplaced.
 *
 * @param setting names the variable that points to the secret, for errors
 * @throws InputError if there is no such secret or it may not be read
 */
export async function fetchSecret(
  client: SecretsManagerClient,
  id: string,
  setting: string,
  signal: AbortSignal,
): Promise<Buffer> {
  try {
    const value = await client.send(new GetSecretValueCommand({ SecretId: id }), { abortSignal: signal });
    if (value.SecretString !== undefined) return Buffer.from(value.SecretString, 'utf8');
    if (value.SecretBinary !== undefined) return sameBytes(value.SecretBinary);
  } catch (error) {
    signal.throwIfAborted();
    const { name, message, code } = error as NodeJS.ErrnoException;
    if (name === 'ResourceNotFoundException' && /staging label/i.test(message)) throw isEmpty(setting);
    if (name === 'ResourceNotFoundException') {
      throw new InputError(
        `${setting}: there is no such secret; accepted: the ARN or name of one in this region`,
      );
    }
    if (name === 'AccessDeniedException') {
      throw new InputError(
        `${setting}: this role may not read that secret; grant secretsmanager:GetSecretValue, and kms:Decrypt on its key`,
      );
    }
    if (name === 'InvalidRequestException' && /marked for deletion|scheduled for deletion/i.test(message)) {
      throw new InputError(
        `${setting}: that secret is scheduled for deletion; bring it back with aws secretsmanager restore-secret, or name another`,
      );
    }
    if (name === 'CredentialsProviderError') {
      throw new InputError(`${setting}: there are no AWS credentials here; set AWS_PROFILE, or log in`);
    }
    if (message === 'Region is missing') {
      throw new InputError(`${setting}: no AWS region is set; set AWS_REGION to that of the secret`);
    }
    if (
      ['ExpiredTokenException', 'UnrecognizedClientException', 'InvalidSignatureException'].includes(name)
    ) {
      throw new InputError(
        `${setting}: AWS refuses these credentials (${name}); log in again, or set others`,
      );
    }
    throw new StarError(`${setting}: Secrets Manager did not answer as it should: ${code ?? name}`);
  }
  throw isEmpty(setting);
}

function isEmpty(setting: string): InputError {
  return new InputError(
    `${setting}: that secret is empty; give it a value with aws secretsmanager put-secret-value`,
  );
}
