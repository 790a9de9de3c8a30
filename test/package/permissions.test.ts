import { randomBytes } from 'node:crypto';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DAY, MINUTE } from '../../lib/time.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { replay } from '../support/nova/history.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { type Twin, startTwin } from '../support/nova/twin.ts';
import { SECRET, type Stage } from '../support/stage.ts';
import { type Functions, execute, redrive, statusChange } from '../support/state-machine/run.ts';
import { type LocalStepFunctions, startStepFunctions } from '../support/state-machine/server.ts';
import { type Packaged, packaged } from './packaged.ts';
import { type Stack, type Statement, resolveTemplate, statements, string } from './resolve.ts';

/*
 * Holds what each function calls, as the stand-ins of S3, Secrets Manager and Step Functions see it, against what its
 * role grants, both ways.
 */

const START = Date.UTC(2026, 7, 1) / 1000;
const DAYS = 36;
const ACCOUNT = '123456789012';
const MASKS = 'star-compactor/masks';
/** Days whose files take several parts, long after all others. */
const BUSY = DAYS + 15;

type FunctionName = 'scheduled' | 'backfill' | 'backfillPlan' | 'backfillWindows' | 'backfillEnd';

/** One permission that was needed. */
interface Need {
  readonly action: string;
  readonly resource: string;
}

let db: MariaDb;
let twin: Twin;
let stage: Stage;
let machine: LocalStepFunctions;
let built: Packaged;
let stack: Stack;
const needs = new Map<FunctionName, Map<string, Need>>();

beforeAll(async () => {
  db = await startMariaDb();
  twin = await startTwin(db);
  stage = twin.fromDatabase;
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
  stage.env['STAR_BACKFILL_SECRETS'] = 'star-compactor-dev/backfill';
  const history = {
    seed: 20_261_125,
    start: START,
    days: DAYS + 4,
    eventsPerDay: 20,
    mix: { rescheduled: 0, moves: 0 },
  };
  await replay(twin.cells, randomHistory(history).changes).applyUntil(START + (DAYS + 5) * DAY);
  await makeBusy();
  await everyDoor();
});
afterAll(async () => {
  await machine.stop();
  await twin.stop();
  await db.stop();
  await built[Symbol.asyncDispose]();
});

/** Two days of events whose names cannot be compressed. */
async function makeBusy(): Promise<void> {
  const [cell] = twin.cells;
  const [{ id, created_at: since } = {}] =
    (await cell?.query(
      'SELECT MAX(a.id) AS id, FROM_UNIXTIME(?) AS created_at FROM instance_actions a JOIN instances i ON i.uuid = a.instance_uuid',
      [START + BUSY * DAY],
    )) ?? [];
  await cell?.query(
    `INSERT INTO instance_actions_events (action_id, event, created_at, start_time, finish_time, result, host, deleted)
       SELECT ?, CONCAT('compute_', SHA2(seq, 512), SHA2(-seq, 384)), t, t, t, 'Success', 'cmp-1', 0
         FROM (SELECT seq, ? + INTERVAL seq * 2 SECOND AS t FROM seq_1_to_86000) AS times`,
    [id, since],
  );
}

/** Calls every function in every way that asks something else of AWS. */
async function everyDoor(): Promise<void> {
  const end = START + DAYS * DAY;
  const day = (nth: number): string => new Date((START + nth * DAY) * 1000).toISOString().slice(0, 10);
  const run = (time: number): Promise<unknown> => of('scheduled', () => stage.run(time));
  const backfill = (event: object): Promise<unknown> => of('backfill', () => stage.backfill(event));
  let isCut = true;
  let isTorn = false;
  let isDead = false;
  const refusal = { status: 403, code: 'AccessDenied' };
  twin.onS3Request = ({ operation, key }) => {
    if (isCut && operation === 'PutObject' && /manifests\/.*\.json$/.test(key)) return refusal;
    if (isDead && operation === 'PutObject' && key.includes('instance_events')) return refusal;
    if (!isTorn || operation !== 'UploadPart') return undefined;
    isTorn = false;
    return refusal;
  };

  // A backfill that is cut off, and a schedule that begins its trace with what that has decided.
  await backfill({ start: day(DAYS - 1), end: day(DAYS) }).catch(() => undefined);
  isCut = false;
  await run(end + 45 * MINUTE);
  await run(end + 2 * DAY + 45 * MINUTE);
  await backfill({ start: day(DAYS - 3), end: day(DAYS - 2) });
  // Without a format that is there.
  await backfill({ start: day(DAYS - 3), end: day(DAYS - 2), replace: true, formats: ['csv'] });
  await backfill({ start: day(0), end: day(DAYS - 2) });

  const functions: Functions = {
    plan: (event) => of('backfillPlan', () => stage.step('plan', event)),
    windows: (event) => of('backfillWindows', () => stage.step('windows', event)),
    end: (event) => of('backfillEnd', () => stage.step('end', event)),
  };
  isCut = true;
  const failed = await execute(functions, { start: day(1), end: day(5), concurrency: 1 });
  isCut = false;
  await of('backfillEnd', () => stage.step('end', statusChange(failed)));
  await redrive(failed, functions);
  await execute(functions, { start: day(1), end: day(3), replace: true, concurrency: 1, formats: ['csv'] });
  await of('backfillEnd', () => stage.step('end', { sweep: true }));

  // Files of several parts, one of which is refused once.
  const settled = end + (BUSY - DAYS + 3) * DAY + 45 * MINUTE;
  const busy = { start: day(BUSY), end: day(BUSY + 1), replace: true };
  isTorn = true;
  await run(settled).catch(() => undefined);
  await run(settled);
  isTorn = true;
  await backfill(busy).catch(() => undefined);
  await backfill(busy);
  isTorn = true;
  await execute(functions, { ...busy, concurrency: 1 });

  // With a masking secret of the operator's.
  await stage.createSecret(MASKS, randomBytes(32));
  stage.env['STAR_MASKING_SECRET'] = MASKS;
  await run(settled + DAY);
  await backfill({ start: day(1), end: day(2), replace: true });
  await execute(functions, { start: day(1), end: day(2), replace: true, concurrency: 1 });

  // A trace that begins where a backfill has died.
  await stage.client.send(
    new DeleteObjectCommand({ Bucket: 'traces', Key: 'cloud=test/state/checkpoint.json' }),
  );
  isDead = true;
  await backfill({ start: day(BUSY + 4), end: day(BUSY + 5) }).catch(() => undefined);
  isDead = false;
  await run(settled + 2 * DAY);
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
const UNSEEN: Readonly<Record<string, string>> = {
  'logs:CreateLogStream': 'what Lambda does for a function',
  'logs:PutLogEvents': 'what Lambda does for a function',
  'sqs:SendMessage': 'what Lambda does for a function',
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
      .filter(({ action }) => UNSEEN[action] === undefined)
      .filter(
        ({ action, pattern }) =>
          !calls.some((call) => call.action === action && covers(pattern, call.resource)),
      );
    expect(idle).toEqual([]);
  });
});
