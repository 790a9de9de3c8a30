import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { listSecrets } from '../../../lib/backfill/masking-secret.ts';
import { DAY } from '../../../lib/core/time.ts';

test('A secret whose making is not told counts as new, so that no sweep destroys it by its age', async () => {
  const client = new SecretsManagerClient({ region: 'us-east-1' });
  const SecretList = [{ Name: 'backfill/release/year' }];
  client.middlewareStack.add(() => async () => ({ output: { SecretList, $metadata: {} }, response: {} }), {
    step: 'initialize',
  });
  const { signal } = new AbortController();
  const made = (await listSecrets({ client, prefix: 'backfill', machine: undefined, signal })).get(
    'release/year',
  );
  expect(Date.now() / 1000 - (made ?? 0)).toBeLessThan(DAY);
});
