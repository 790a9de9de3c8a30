import { randomBytes } from 'node:crypto';
import { CreateSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AwsClients, openAwsClients } from '../../../lib/runtime/aws-clients.ts';
import { readSecret } from '../../../lib/backfill/masking-secret.ts';
import { openInvocation } from '../../../lib/drop/open-invocation.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { type Stage, startStage } from '../../support/stage.ts';

const GOOD = 'mysql://nova:x@db.example/nova';
const signal = new AbortController().signal;

let stage: Stage;
let clients: AwsClients;
/** What the client of Secrets Manager gave as bytes. */
const given: Uint8Array[] = [];

beforeAll(async () => {
  stage = await startStage();
  for (const [name, value] of Object.entries(stage.env)) process.env[name] = value;
  clients = openAwsClients();
  clients.secretsManager.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const { SecretBinary } = answer.output as { SecretBinary?: Uint8Array };
      if (SecretBinary !== undefined) given.push(SecretBinary);
      return answer;
    },
    { step: 'initialize' },
  );
  const put = (Name: string, SecretBinary: Uint8Array): Promise<unknown> =>
    clients.secretsManager.send(new CreateSecretCommand({ Name, SecretBinary }));
  await put('masks', randomBytes(32));
  await put('few', randomBytes(31));
  await put('backfills/release/one', randomBytes(64));
});
afterAll(async () => {
  clients[Symbol.dispose]();
  await stage.stop();
});

const open = (env: Record<string, string>, shared?: Buffer): ReturnType<typeof openInvocation> =>
  openInvocation(readSettings({ ...stage.env, ...env }), clients, signal, () => undefined, undefined, shared);
const isClear = (bytes: Uint8Array | undefined): boolean => bytes?.every((byte) => byte === 0) === true;

describe('A masking secret', () => {
  test('that the operator holds is cleared, in the very bytes that came, when the invocation is over', async () => {
    await stage.setSecret(GOOD);
    given.length = 0;
    {
      using invocation = await open({ STAR_MASKING_SECRET: 'masks' });
      invocation.masking.mask('value');
      expect(given.map(isClear)).toEqual([false]);
    }
    expect(given.map(isClear)).toEqual([true]);
  });

  test('is cleared where it is too short to be used', async () => {
    given.length = 0;
    await expect(open({ STAR_MASKING_SECRET: 'few' })).rejects.toThrow(
      /^STAR_MASKING_SECRET: holds 31 bytes/,
    );
    expect(given.map(isClear)).toEqual([true]);
  });

  test('that executions share is cleared where the secret that opens the cloud is no good', async () => {
    given.length = 0;
    {
      const secretsManager = {
        client: clients.secretsManager,
        prefix: 'backfills',
        machine: undefined,
        signal,
      };
      using shared = await readSecret(secretsManager, 'release/one');
      expect(given.map(isClear)).toEqual([false]);
      await stage.setSecret('mysql://');
      await expect(open({}, shared.salt)).rejects.toThrow(/^secret: DSN: /);
      expect(isClear(shared.salt)).toBe(true);
    }
    expect(given.map(isClear)).toEqual([true]);
    const { SecretBinary } = await clients.secretsManager.send(
      new GetSecretValueCommand({ SecretId: 'backfills/release/one' }),
    );
    expect(isClear(SecretBinary)).toBe(false);
  });
});
