import {
  CreateSecretCommand,
  DeleteSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchSecret } from '../../../lib/connection/fetch-secret.ts';
import { startSecretsManager } from '../../support/secrets-manager/server.ts';

let server: Awaited<ReturnType<typeof startSecretsManager>>;
let client: SecretsManagerClient;
beforeAll(async () => {
  server = await startSecretsManager();
  client = new SecretsManagerClient(CLIENT(server.endpoint));
});
afterAll(async () => {
  client.destroy();
  await server.stop();
});

const CLIENT = (endpoint: string) => ({
  endpoint,
  region: server.region,
  credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
});

const fetched = (id: string): Promise<string> =>
  fetchSecret(client, id, 'STAR_SECRET', new AbortController().signal).then(
    (bytes) => bytes.toString(),
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );

describe('A secret', () => {
  test('that is scheduled for deletion is bad input, with how to bring it back', async () => {
    await client.send(new CreateSecretCommand({ Name: 'going', SecretString: 'kept' }));
    expect(await fetched('going')).toBe('kept');
    await client.send(new DeleteSecretCommand({ SecretId: 'going' }));
    expect(await fetched('going')).toBe(
      'InputError: STAR_SECRET: that secret is scheduled for deletion; bring it back with aws secretsmanager ' +
        'restore-secret, or name another',
    );
  });

  test('that has no value yet is bad input, with how to give it one', async () => {
    await client.send(new CreateSecretCommand({ Name: 'bare' }));
    expect(await fetched('bare')).toBe(
      'InputError: STAR_SECRET: that secret is empty; give it a value with aws secretsmanager put-secret-value',
    );
  });

  test('that is not there is bad input', async () => {
    expect(await fetched('none')).toMatch(/^InputError: STAR_SECRET: there is no such secret; accepted: /);
  });
});
