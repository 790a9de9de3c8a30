import { randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { describe, expect, test } from 'vitest';
import type { SecretOwner } from '../../lib/backfill/masking-secret.ts';
import { DAY } from '../../lib/core/time.ts';
import { listKeys } from '../support/drops.ts';
import { type Past, date, usePast } from '../support/past.ts';
import { BUCKET } from '../support/stage.ts';
import { statusChange } from '../support/state-machine/run.ts';
import type { Status } from '../support/state-machine/server.ts';

/** Long enough for the state machine. */
const RANGE = { start: '2025-06-01', end: date(0) };

const past: Past = usePast({ days: 1, eventsPerDay: 1 });

/** An execution that Step Functions knows, and that stands so; its masking secret is there. */
async function execution(release: string | undefined, status: Status, isBeyondRedrive = false) {
  const summary = await past.stage.backfill({ ...RANGE, ...(release === undefined ? {} : { release }) });
  const found = past.machine.executions().find(({ arn }) => arn === summary.execution?.arn);
  if (found === undefined) throw new Error('no execution was started');
  Object.assign(found, { status, isBeyondRedrive });
  const owner: SecretOwner = release === undefined ? `execution/${found.name}` : `release/${release}`;
  if (!past.secrets().includes(owner)) await make(owner);
  return { ...found, owner };
}

const PREFIX = 'star-compactor-test/backfill';

const make = (owner: SecretOwner, prefix = PREFIX): Promise<void> =>
  past.stage.createSecret(`${prefix}/${owner}`, randomBytes(64));

const sweep = (): Promise<object> => past.stage.step('end', { sweep: true });

describe('The daily sweep', () => {
  test.each<[Status, boolean, boolean]>([
    ['RUNNING', false, true],
    ['FAILED', false, true],
    ['TIMED_OUT', false, true],
    ['ABORTED', false, false],
    ['SUCCEEDED', false, false],
  ])(
    'of what an execution that is %s (beyond redrive: %s) has made keeps it: %s',
    async (status, beyond, kept) => {
      const backfill = await execution(undefined, status, beyond);
      const release = await execution('year', status, beyond);
      expect(await sweep()).toEqual({ destroyed: kept ? 0 : 2 });
      expect(past.secrets()).toEqual(kept ? [backfill.owner, release.owner] : []);
    },
  );

  test('keeps that of a release as long as one of its executions needs it', async () => {
    await execution('year', 'ABORTED');
    await execution('year', 'SUCCEEDED');
    const failed = await execution('year', 'FAILED');
    expect(await sweep()).toEqual({ destroyed: 0 });
    past.started(failed).status = 'SUCCEEDED';
    expect(await sweep()).toEqual({ destroyed: 1 });
  });

  test.each<[Status]>([['FAILED'], ['TIMED_OUT']])(
    'after 14 days keeps that of a release whose execution is %s, for a new one, and not that of a backfill',
    async (status) => {
      await execution(undefined, status, true);
      await execution('year', status, true);
      expect(await sweep()).toEqual({ destroyed: 1 });
      expect(past.secrets()).toEqual(['release/year']);
    },
  );

  test('destroys one that an execution made after another had completed the release', async () => {
    await execution('year', 'FAILED');
    const Key = 'cloud=test-year/release.json';
    await past.stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: '{}' }));
    expect(await sweep()).toEqual({ destroyed: 1 });
  });

  test('destroys those of executions that nobody knows any more, and none of others', async () => {
    await execution('year', 'RUNNING');
    await make('execution/never');
    await make('release/yea');
    await make('release/year', 'star-compactor-prod/backfill');
    await make('release/year', 'star-compactor-test/backfill-2');
    await past.stage.createSecret(`${PREFIX}/an-operators-own`, randomBytes(64));
    expect(await sweep()).toEqual({ destroyed: 2 });
    expect(past.secrets()).toEqual(['release/year', 'an-operators-own']);
    expect(past.stage.secretsManager.names()).toEqual(
      expect.arrayContaining([
        'star-compactor-prod/backfill/release/year',
        'star-compactor-test/backfill-2/release/year',
      ]),
    );
  });

  test.each<[number, number]>([
    [29, 0],
    [31, 2],
  ])('after %i days destroys %i of those that executions still use', async (days, destroyed) => {
    await execution('year', 'FAILED');
    await execution(undefined, 'RUNNING');
    for (const owner of past.secrets())
      past.stage.secretsManager.backdate(`${PREFIX}/${owner}`, Date.now() - days * DAY * 1000);
    expect(await sweep()).toEqual({ destroyed });
    expect(past.secrets()).toHaveLength(2 - destroyed);
  });

  test('forgets the plans of executions that nobody can redrive any more, and of no others', async () => {
    const plans: string[] = [];
    for (const release of [undefined, 'year'])
      for (const [status, isLate] of [
        ['RUNNING', false],
        ['FAILED', false],
        ['FAILED', true],
        ['ABORTED', false],
      ] as const) {
        const { name } = await execution(release, status, isLate);
        const Key = `cloud=test${release === undefined ? '' : `-${release}`}/state/backfills/${name}/1.json`;
        await past.stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: '{}' }));
        plans.push(Key);
      }
    await sweep();
    const kept = [0, 1, 4, 5].map((nth) => plans[nth]);
    expect(new Set(await listKeys(past.stage.client))).toEqual(new Set(kept));
  });

  test('looks at every page of executions and of secrets', async () => {
    const first = await execution('first', 'RUNNING');
    const { endpoint, region, accessKeyId, secretAccessKey, machine } = past.machine;
    const client = new SFNClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
    for (let nth = 0; nth < 120; nth++)
      await client.send(new StartExecutionCommand({ stateMachineArn: machine, input: '{}' }));
    client.destroy();
    for (const each of past.machine.executions()) if (each.name !== first.name) each.status = 'SUCCEEDED';
    for (let nth = 0; nth < 120; nth++) await make(`release/left-${nth}`);
    expect(await sweep()).toEqual({ destroyed: 120 });
    expect(past.secrets()).toEqual(['release/first']);
  });

  test('keeps the secret of an execution that starts meanwhile', async () => {
    const asked: string[] = [];
    past.onAwsRequest = async ({ operation }) => {
      if (!operation.startsWith('List')) return;
      asked.push(operation);
      // Between the question what is there and the question what is at work.
      if (asked.length === 2) await execution('year', 'RUNNING');
    };
    expect(await sweep()).toEqual({ destroyed: 0 });
    expect(asked.toSorted()).toEqual(['ListExecutions', 'ListSecrets']);
    expect(past.secrets()).toEqual(['release/year']);
  });

  test('destroys nothing where Step Functions does not answer', async () => {
    await make('release/year');
    past.stage.env['STAR_BACKFILL_MACHINE'] = `${past.machine.machine}-other`;
    await expect(sweep()).rejects.toThrow(
      /^could not ask Step Functions about executions: StateMachineDoesNotExist: .*$/,
    );
    expect(past.secrets()).toEqual(['release/year']);
  });
});

describe('The event of a stopped execution', () => {
  test('destroys its own secret, and no other', async () => {
    const stopped = await execution(undefined, 'ABORTED');
    await make('execution/never');
    const { name, status, input } = stopped;
    expect(await past.stage.step('end', statusChange({ name, status, input }))).toEqual({ destroyed: 1 });
    expect(past.secrets()).toEqual(['execution/never']);
  });

  test('that does not have the input leaves the secret of a release to the sweep', async () => {
    const { name, status } = await execution('year', 'ABORTED');
    const event = statusChange({ name, status }) as { detail: { input: unknown } };
    event.detail.input = null;
    expect(await past.stage.step('end', event)).toEqual({ destroyed: 0 });
    expect(await sweep()).toEqual({ destroyed: 1 });
  });
});
