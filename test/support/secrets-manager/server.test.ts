import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager';
import type { ListSecretsCommandInput, SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
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

test('a deletion has a recovery window of seven to thirty days, or is forced, but not both', async () => {
  await create('windowed');
  const remove = (input: object) => client.send(new DeleteSecretCommand({ SecretId: 'windowed', ...input }));
  expect(await failure(remove({ RecoveryWindowInDays: 6 }))).toBe('InvalidParameterException');
  const both = { RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true };
  expect(await failure(remove(both))).toBe('InvalidParameterException');
  const { DeletionDate } = await remove({ RecoveryWindowInDays: 7 });
  expect(DeletionDate?.getTime()).toBeGreaterThan(Date.now() + 6 * 24 * 3_600_000);
  expect(await failure(remove({}))).toBe('InvalidRequestException');
  await remove({ ForceDeleteWithoutRecovery: true });
  expect(await failure(value('windowed'))).toBe('ResourceNotFoundException');
});

test('tags are kept with a secret', async () => {
  const Tags = [{ Key: 'cloud', Value: 'prod' }];
  await client.send(new CreateSecretCommand({ Name: 'tagged', SecretString: 'x', Tags }));
  expect((await client.send(new DescribeSecretCommand({ SecretId: 'tagged' }))).Tags).toEqual(Tags);
  const [found] = await list({ Filters: [{ Key: 'tag-key', Values: ['clou'] }] });
  expect(found).toMatchObject({ Name: 'tagged', Tags });
});

test('a creation whose answer was lost is repeated by the client, and makes one secret', async () => {
  fault = ({ status }) => {
    fault = undefined;
    return status === undefined ? { when: 'after', reset: true } : undefined;
  };
  const { ARN } = await create('once');
  expect(await value(ARN)).toMatchObject({ SecretString: 'the value' });
  expect(server.requests().filter(({ operation }) => operation === 'CreateSecret').length).toBeGreaterThan(1);
  expect(server.names().filter((name) => name === 'once')).toHaveLength(1);
});

async function list(input: ListSecretsCommandInput) {
  return (await client.send(new ListSecretsCommand(input))).SecretList ?? [];
}

describe('secrets are listed', () => {
  const named = (...Values: string[]) => ({ Filters: [{ Key: 'name' as const, Values }] });
  const names = async (input: ListSecretsCommandInput) => (await list(input)).map(({ Name }) => Name);

  test('by the beginning of their names, in upper and lower case, page by page', async () => {
    const all = Array.from({ length: 5 }, (_, nth) => `run/backfill/${nth}`);
    for (const name of [...all, 'run/Backfill/9', 'other/run/backfill/9']) await create(name);
    const pages: (string | undefined)[][] = [];
    for (let NextToken: string | undefined; ;) {
      const input = { ...named('run/backfill/'), MaxResults: 2, SortOrder: 'asc' as const };
      const page = await client.send(
        new ListSecretsCommand(NextToken === undefined ? input : { ...input, NextToken }),
      );
      pages.push((page.SecretList ?? []).map(({ Name }) => Name));
      NextToken = page.NextToken;
      if (NextToken === undefined) break;
    }
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual(all);
  });

  test('by any of the values of a filter, but all filters, and not by what is negated', async () => {
    for (const name of ['f/a', 'f/b', 'g/a']) await create(name);
    expect(new Set(await names(named('f/a', 'g/')))).toEqual(new Set(['f/a', 'g/a']));
    const both = { Filters: [...named('f/').Filters, ...named('!f/b').Filters] };
    expect(await names(both)).toEqual(['f/a']);
  });

  test('without those marked for deletion, unless asked for', async () => {
    await create('going/1');
    await client.send(new DeleteSecretCommand({ SecretId: 'going/1' }));
    expect(await names(named('going/'))).toEqual([]);
    expect(await names({ ...named('going/'), IncludePlannedDeletion: true })).toEqual(['going/1']);
  });

  test('and what is no filter, no number of results or no token is refused', async () => {
    const wrong = (input: object) => failure(client.send(new ListSecretsCommand(input)));
    expect(await wrong({ Filters: [{ Key: 'colour', Values: ['red'] }] })).toBe('InvalidParameterException');
    expect(await wrong({ MaxResults: 101 })).toBe('InvalidParameterException');
    expect(await wrong({ NextToken: 'nothing' })).toBe('InvalidNextTokenException');
  });
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
