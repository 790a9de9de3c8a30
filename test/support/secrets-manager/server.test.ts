import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../aws/faults.ts';
import { startSecretsManager } from './server.ts';
import type { RequestRecord } from './server.ts';

let fault: ((request: RequestRecord) => Fault | void) | undefined;
const server = await startSecretsManager({ onRequest: (request) => fault?.(request) });
const { accessKeyId, secretAccessKey, endpoint, region } = server;
const credentials = { accessKeyId, secretAccessKey };
const client = connect();
afterAll(() => server.stop());
beforeEach(() => {
  fault = undefined;
});

function connect(config: SecretsManagerClientConfig = {}): SecretsManagerClient {
  return new SecretsManagerClient({ endpoint, region, credentials, ...config });
}

function create(Name: string, SecretString = 'the value') {
  return client.send(new CreateSecretCommand({ Name, SecretString }));
}

function value(SecretId: string | undefined, VersionStage?: string, from = client) {
  const input = { SecretId, ...(VersionStage === undefined ? {} : { VersionStage }) };
  return from.send(new GetSecretValueCommand(input));
}

async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof SecretsManagerServiceException)) throw error;
    return error.name;
  }
  return 'no failure';
}

test('a secret is found by its name, its ARN, and its ARN without the random suffix', async () => {
  const { ARN = '' } = await create('nova/reader');
  expect(ARN).toMatch(/:secret:nova\/reader-[A-Za-z0-9]{6}$/);
  for (const id of ['nova/reader', ARN, ARN.slice(0, -7)]) {
    expect(await value(id)).toMatchObject({ ARN, Name: 'nova/reader', SecretString: 'the value' });
  }
});

test('a secret can be binary', async () => {
  const SecretBinary = new Uint8Array([0, 255, 1, 254]);
  await client.send(new CreateSecretCommand({ Name: 'binary', SecretBinary }));
  const found = await value('binary');
  expect(Buffer.from(found.SecretBinary ?? [])).toEqual(Buffer.from(SecretBinary));
  expect(found.SecretString).toBeUndefined();
  expect(found.CreatedDate).toBeInstanceOf(Date);
});

test('a new value becomes the current one, and the old one the previous', async () => {
  await create('rotated', 'first');
  await client.send(new PutSecretValueCommand({ SecretId: 'rotated', SecretString: 'second' }));
  expect(await value('rotated')).toMatchObject({ SecretString: 'second', VersionStages: ['AWSCURRENT'] });
  expect(await value('rotated', 'AWSPREVIOUS')).toMatchObject({ SecretString: 'first' });
  await client.send(new PutSecretValueCommand({ SecretId: 'rotated', SecretString: 'third' }));
  expect(await value('rotated', 'AWSPREVIOUS')).toMatchObject({ SecretString: 'second' });
  const described = await client.send(new DescribeSecretCommand({ SecretId: 'rotated' }));
  const stages = Object.values(described.VersionIdsToStages ?? {}).flat();
  expect(new Set(stages)).toEqual(new Set(['AWSCURRENT', 'AWSPREVIOUS']));
});

test('what is not there is ResourceNotFoundException', async () => {
  expect(await failure(value('absent'))).toBe('ResourceNotFoundException');
});

test('a label that no version has is ResourceNotFoundException', async () => {
  await create('labelled');
  expect(await failure(value('labelled', 'AWSPENDING'))).toBe('ResourceNotFoundException');
});

test('a name is taken once', async () => {
  await create('taken');
  expect(await failure(create('taken'))).toBe('ResourceExistsException');
});

test('a secret marked for deletion can be described but not read', async () => {
  await create('marked');
  await client.send(new DeleteSecretCommand({ SecretId: 'marked' }));
  expect(await failure(value('marked'))).toBe('InvalidRequestException');
  expect(await failure(create('marked'))).toBe('InvalidRequestException');
  const { DeletedDate } = await client.send(new DescribeSecretCommand({ SecretId: 'marked' }));
  expect(DeletedDate).toBeInstanceOf(Date);
});

test('a secret deleted without recovery is gone, and its name is free for another', async () => {
  const { ARN } = await create('forced');
  const force = new DeleteSecretCommand({ SecretId: 'forced', ForceDeleteWithoutRecovery: true });
  await client.send(force);
  expect(await failure(value('forced'))).toBe('ResourceNotFoundException');
  await client.send(force);
  await create('forced', 'another');
  expect(await failure(value(ARN))).toBe('ResourceNotFoundException');
});

test('an unknown key and a wrong secret are refused', async () => {
  const unknown = connect({ credentials: { ...credentials, accessKeyId: 'LOCALUNKNOWN' } });
  expect(await failure(value('x', undefined, unknown))).toBe('UnrecognizedClientException');
  const wrong = connect({ credentials: { ...credentials, secretAccessKey: 'wrong' } });
  expect(await failure(value('x', undefined, wrong))).toBe('InvalidSignatureException');
});

test('a test can have a request fail, before it takes effect or after', async () => {
  await create('denied');
  fault = () => ({ status: 400, code: 'AccessDeniedException', message: 'not authorized' });
  expect(await failure(value('denied'))).toBe('AccessDeniedException');
  fault = ({ operation }) => {
    if (operation !== 'CreateSecret') return;
    fault = undefined;
    return { reset: true, when: 'after' };
  };
  const once = connect({ maxAttempts: 1 });
  const lost = once.send(new CreateSecretCommand({ Name: 'lost', SecretString: 'kept' }));
  await expect(lost).rejects.toThrow(/ECONNRESET|hang up/);
  expect(await value('lost')).toMatchObject({ SecretString: 'kept' });
  expect(server.requests().at(-1)).toMatchObject({
    operation: 'GetSecretValue',
    secretId: 'lost',
    status: 200,
  });
});
