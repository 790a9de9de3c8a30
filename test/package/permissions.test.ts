import { randomBytes } from 'node:crypto';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { listKeys } from '../support/drops.ts';
import { replay } from '../support/nova/history.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { type BothSources, startBothSources } from '../support/nova/both-sources.ts';
import { SECRET, type Stage } from '../support/stage.ts';
import { type Functions, execute, redrive, statusChange } from '../support/state-machine/run.ts';
import { type LocalStepFunctions, startStepFunctions } from '../support/state-machine/server.ts';
import { type Packaged, packaged } from './packaged.ts';
import { type Stack, type Statement, resolveTemplate, statements, string } from './resolve.ts';

/*
 * Holds what each function calls, as the fakes of S3, Secrets Manager and Step Functions see it, against what its role
 * grants, both ways.
 */

const START = Date.UTC(2026, 7, 1) / 1000;
const DAYS = 36;
const ACCOUNT = '123456789012';
const MASKS = 'star-compactor/masks';
/** A day whose files take several parts, long after all others. */
const BUSY = DAYS + 15;

type FunctionName = 'scheduled' | 'backfill' | 'backfillPlan' | 'backfillWindows' | 'backfillEnd';

/** One permission that was needed. */
interface Need {
  readonly action: string;
  readonly resource: string;
}

let db: MariaDb;
let both: BothSources;
let stage: Stage;
let machine: LocalStepFunctions;
let built: Packaged;
let stack: Stack;
const needs = new Map<FunctionName, Map<string, Need>>();

beforeAll(async () => {
  db = await useMariaDb();
  both = await startBothSources(db);
  stage = both.fromDatabase;
  built = await packaged({ cloud: 'test', bucket: 'traces', secret: SECRET, maskingSecret: MASKS });
  stack = resolveTemplate(built.template);
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = stage.env;
  machine = await startStepFunctions({
    credentials: { accessKeyId, secretAccessKey },
    machine: 'star-compactor-dev-backfill',
  });
  stage.env['AWS_ENDPOINT_URL_SFN'] = machine.endpoint;
  stage.env['STAR_BACKFILL_MACHINE'] = machine.machine;
  stage.env['STAR_MASKING'] = 'sha2-salted';
  stage.env['STAR_REPORT'] = 'true';
  stage.env['STAR_BACKFILL_SECRETS'] = 'star-compactor-dev/backfill';
  const history = {
    seed: 20_261_125,
    start: START,
    days: DAYS + 4,
    eventsPerDay: 20,
    mix: { rescheduled: 0, moves: 0 },
  };
  await replay(both.cells, randomHistory(history).changes).applyUntil(START + (DAYS + 5) * DAY);
  await makeBusy();
  await everyHandler();
});
afterAll(async () => {
  await machine.stop();
  await both.stop();
  await db.stop();
  await built[Symbol.asyncDispose]();
});

/** An expression of a text that has six random bits a character. */
const incompressible = (seed: string, bits: number): string =>
  String.raw`REPLACE(TO_BASE64(UNHEX(SHA2(${seed}, ${bits}))), '\n', '')`;

/** A day of events whose names cannot be compressed: six megabytes. */
async function makeBusy(): Promise<void> {
  const [cell] = both.cells;
  const [{ id, created_at: since } = {}] =
    (await cell?.query(
      'SELECT MAX(a.id) AS id, FROM_UNIXTIME(?) AS created_at FROM instance_actions a JOIN instances i ON i.uuid = a.instance_uuid',
      [START + BUSY * DAY],
    )) ?? [];
  await cell?.query(
    `INSERT INTO instance_actions_events (action_id, event, created_at, start_time, finish_time, result, host, deleted)
       SELECT ?, CONCAT('compute_', ${incompressible('seq', 512)}, ${incompressible('-seq', 512)}, ${incompressible('seq + 0.5', 384)}),
           t, t, t, 'Success', 'cmp-1', 0
         FROM (SELECT seq, ? + INTERVAL seq * 2.5 SECOND AS t FROM seq_1_to_33000) AS times`,
    [id, since],
  );
}

const day = (nth: number): string => new Date((START + nth * DAY) * 1000).toISOString().slice(0, 10);
const refusal = { status: 403, code: 'AccessDenied' };

/** Refuses requests for an object, so often. */
function refuse(operation: string, key: RegExp, times = 1): void {
  let left = times;
  both.onS3Request = (request) => {
    if (request.operation !== operation || !key.test(request.key) || left === 0) return undefined;
    left--;
    return refusal;
  };
}

/** Lets something fail, and then succeed. */
async function twice(work: () => Promise<unknown>): Promise<void> {
  await work().catch(() => undefined);
  both.onS3Request = undefined;
  await work();
}

/** Has a part of a file refused, in runs without a report, which would count each of the many names. */
async function inParts(work: () => Promise<unknown>): Promise<void> {
  refuse('UploadPart', /date=/);
  stage.env['STAR_REPORT'] = 'false';
  await work();
  both.onS3Request = undefined;
  stage.env['STAR_REPORT'] = 'true';
}

/** Has a report refused, and the next run make neither that nor one of the formats: both are left behind. */
async function leavingBehind(work: () => Promise<unknown>): Promise<void> {
  const { STAR_FORMATS: formats } = stage.env;
  stage.env['STAR_FORMATS'] = 'jsonl,csv';
  refuse('PutObject', /\.report\.html$/, Infinity);
  await work().catch(() => undefined);
  both.onS3Request = undefined;
  Object.assign(stage.env, { STAR_FORMATS: formats, STAR_REPORT: 'false' });
  await work();
  stage.env['STAR_REPORT'] = 'true';
}

/** Nothing is published any more. */
async function wipe(prefix = ''): Promise<void> {
  for (const Key of await listKeys(stage.client, prefix))
    await stage.client.send(new DeleteObjectCommand({ Bucket: 'traces', Key }));
}

/** Calls every function in every way that asks something else of AWS. */
async function everyHandler(): Promise<void> {
  await stage.createSecret(MASKS, randomBytes(32));
  await everySchedule();
  await everyBackfill();
  await everyExecution();
}

async function everySchedule(): Promise<void> {
  const run = (days: number): Promise<unknown> =>
    of('scheduled', () => stage.run(START + days * DAY + 45 * MINUTE));
  await run(DAYS - 1);
  await leavingBehind(() => run(DAYS));
  stage.env['STAR_MASKING_SECRET'] = MASKS;
  await run(DAYS + 1);
  delete stage.env['STAR_MASKING_SECRET'];
  // Files of several parts, one of which is refused.
  await wipe();
  await inParts(() => twice(() => run(BUSY + 1)));
}

async function everyBackfill(): Promise<void> {
  const backfill = (start: number, end: number, more = {}): Promise<unknown> =>
    of('backfill', () => stage.backfill({ start: day(start), end: day(end), ...more }));
  await wipe();
  await backfill(0, 2);
  await leavingBehind(() => backfill(2, 3));
  stage.env['STAR_MASKING_SECRET'] = MASKS;
  await backfill(3, 4);
  delete stage.env['STAR_MASKING_SECRET'];
  await inParts(() => twice(() => backfill(BUSY, BUSY + 1)));
  await backfill(0, DAYS);
  await backfill(0, 1, { release: 'year' });
}

async function everyExecution(): Promise<void> {
  const functions: Functions = {
    plan: (event) => of('backfillPlan', () => stage.step('plan', event)),
    windows: (event) => of('backfillWindows', () => stage.step('windows', event)),
    end: (event) => of('backfillEnd', () => stage.step('end', event)),
  };
  const run = async (start: number, end: number, more = {}): Promise<void> => {
    const request = { start: day(start), end: day(end), concurrency: 1, ...more };
    expect(await execute(functions, request)).toMatchObject({ status: 'SUCCEEDED' });
  };
  await wipe();
  await run(0, 3);
  await leavingBehind(() => run(3, 4));
  stage.env['STAR_MASKING_SECRET'] = MASKS;
  await run(4, 5);
  await run(0, 2, { release: 'masked' });
  delete stage.env['STAR_MASKING_SECRET'];
  for (const more of [{}, { release: 'busy' }]) await inParts(() => run(BUSY, BUSY + 1, more));

  // One that fails and is redriven, is asked for again when it is complete, and is stopped too late.
  const request = { start: day(0), end: day(3), release: 'year' };
  refuse('PutObject', /manifests\/.*\.json$/, Infinity);
  const failed = await execute(functions, request);
  both.onS3Request = undefined;
  expect(await redrive(failed, functions)).toMatchObject({ status: 'SUCCEEDED' });
  await of('backfill', () => stage.backfill(request));
  expect(await execute(functions, request)).toMatchObject({ status: 'SUCCEEDED' });
  await of('backfillEnd', () => stage.step('end', statusChange({ ...failed, status: 'ABORTED' })));

  // One that fails, and is begun again without its folder: the plan looks for other executions, and makes a new secret.
  const deleted = { ...request, release: 'deleted' };
  refuse('PutObject', /manifests\/.*\.json$/, Infinity);
  expect(await execute(functions, deleted)).toMatchObject({ status: 'FAILED' });
  both.onS3Request = undefined;
  await wipe('cloud=test-deleted/');
  expect(await execute(functions, deleted)).toMatchObject({ status: 'SUCCEEDED' });
  await of('backfillEnd', () => stage.step('end', { sweep: true }));
}

/** Lets a function work, and notes what it needed meanwhile. */
async function of<T>(name: FunctionName, work: () => Promise<T>): Promise<T> {
  const before = [
    stage.s3.requests().length,
    stage.secretsManager.requests().length,
    machine.requests().length,
  ];
  try {
    return await work();
  } finally {
    const noted = needs.get(name) ?? new Map<string, Need>();
    needs.set(name, noted);
    const note = (action: string, resource: string): void =>
      void noted.set(`${action} ${resource}`, { action, resource });
    for (const { operation, bucket, key, status } of stage.s3.requests().slice(before[0])) {
      // One that is not listed is granted to nobody, and fails the test.
      const action = S3[operation] ?? operation;
      note(action, action === 's3:ListBucket' ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`);
      // Without it S3 would answer 403.
      if (status === 404) note('s3:ListBucket', `arn:aws:s3:::${bucket}`);
    }
    for (const { operation, secretId } of stage.secretsManager.requests().slice(before[1])) {
      const id = secretId ?? '';
      const arn = id.startsWith('arn:')
        ? id
        : `arn:aws:secretsmanager:eu-central-1:${ACCOUNT}:secret:${id}-AbCdEf`;
      note(`secretsmanager:${operation}`, operation === 'ListSecrets' ? '*' : arn);
    }
    for (const { operation, input } of machine.requests().slice(before[2])) {
      const arn = String(input?.['stateMachineArn'] ?? input?.['executionArn']);
      note(`states:${operation}`, arn.replace('us-east-1', 'eu-central-1'));
    }
  }
}

/** Action by operation. Source: "Actions, resources, and condition keys for Amazon S3". */
const S3: Readonly<Record<string, string>> = {
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  PutObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  DeleteObject: 's3:DeleteObject',
  ListObjectsV2: 's3:ListBucket',
};

/** Granted and not seen here, and why. */
const UNSEEN: Readonly<Record<string, RegExp>> = {
  // What Lambda does for a function.
  'logs:CreateLogStream': /^/,
  'logs:PutLogEvents': /^/,
  'sqs:SendMessage': /^/,
  // Only the description of many thousand files is uploaded in parts.
  's3:AbortMultipartUpload': /\/datapackage\.json$/,
};

function granted(name: FunctionName): Statement[] {
  const capital = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  const role = string(stack.resources.get(`${capital}LambdaFunction`)?.properties['Role']).replace(
    /\.Arn$/,
    '',
  );
  const found = stack.resources.get(role);
  if (found === undefined) throw new Error(`no role ${role}`);
  return statements(found).filter(({ effect }) => effect === 'Allow');
}

/** As IAM matches: an asterisk is any text, a question mark any character. */
function covers(pattern: string, resource: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`).test(resource);
}

const FUNCTIONS: FunctionName[] = ['scheduled', 'backfill', 'backfillPlan', 'backfillWindows', 'backfillEnd'];

describe.each(FUNCTIONS)('The function %s', (name) => {
  test('is granted everything that it calls', () => {
    const calls = [...(needs.get(name)?.values() ?? [])];
    expect(calls.length).toBeGreaterThan(3);
    const refused = calls.filter(
      ({ action, resource }) =>
        !granted(name).some(
          ({ actions, resources }) =>
            actions.includes(action) && resources.some((pattern) => covers(pattern, resource)),
        ),
    );
    expect(refused).toEqual([]);
  });

  test('calls everything that it is granted, on every resource that is named', () => {
    const calls = [...(needs.get(name)?.values() ?? [])];
    const idle = granted(name)
      .flatMap(({ actions, resources }) =>
        actions.flatMap((action) => resources.map((pattern) => ({ action, pattern }))),
      )
      .filter(({ action, pattern }) => UNSEEN[action]?.test(pattern) !== true)
      .filter(
        ({ action, pattern }) =>
          !calls.some((call) => call.action === action && covers(pattern, call.resource)),
      );
    expect(idle).toEqual([]);
  });
});
