import { expect, test } from 'vitest';
import { openAwsClients } from '../../../lib/runtime/aws-clients.ts';
import { askStepFunctions } from '../../../lib/runtime/step-functions.ts';

const { s3, secretsManager } = openAwsClients();
const { signal } = new AbortController();

test.each([
  ['S3', s3],
  ['Secrets Manager', secretsManager],
  ['Step Functions', await askStepFunctions('test', signal, async (client) => client)],
])('%s is not waited for until the deadline, where there is no way to it', async (_, client) => {
  const handler = client.config.requestHandler as unknown as { configProvider: Promise<object> };
  expect(await handler.configProvider).toMatchObject({
    connectionTimeout: 5000,
    requestTimeout: 60_000,
    throwOnRequestTimeout: true,
  });
});
