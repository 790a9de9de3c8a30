import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openAwsClients } from '../../lib/aws-clients.ts';
import { executionsWithSecret, makeSecret } from '../../lib/backfill/masking-secret.ts';
import { DAY, iso } from '../../lib/time.ts';
import { type Drop, listKeys, readDrops } from '../support/drops.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { compareWithTruth } from '../support/nova/compare.ts';
import { replay } from '../support/nova/history.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import { type Twin, startTwin } from '../support/nova/twin.ts';
import type { Stage } from '../support/stage.ts';
import { type Functions, execute, redrive, statusChange } from '../support/state-machine/run.ts';
import { type LocalStepFunctions, startStepFunctions } from '../support/state-machine/server.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_127);
const START = Date.UTC(2026, 7, 1) / 1000;
const DAYS = 40;
const PREFIX = 'star-compactor-test/backfill';
const RANGE = { start: '2026-08-01', end: '2026-09-10' };

let db: MariaDb;
let twin: Twin;
let stage: Stage;
let machine: LocalStepFunctions;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  twin = await startTwin(db);
  stage = twin.fromDatabase;
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = stage.env;
  machine = await startStepFunctions({ credentials: { accessKeyId, secretAccessKey } });
  stage.env['AWS_ENDPOINT_URL_SFN'] = machine.endpoint;
  stage.env['STAR_BACKFILL_MACHINE'] = machine.machine;
  stage.env['STAR_BACKFILL_SECRETS'] = PREFIX;
  const mix = { rescheduled: 0, moves: 0 };
  const history = { seed: SEED, start: START, days: DAYS, eventsPerDay: 40, mix };
  const archiveAt = (nth: number): number | undefined => (nth === 30 ? START + 20 * DAY : undefined);
  await replay(twin.cells, randomHistory({ ...history, archiveAt }).changes).applyUntil(
    START + (DAYS + 9) * DAY,
  );
});
afterEach(async () => {
  await machine.stop();
  await twin.stop();
});

/** The functions as they are, but for the time that a worker has. */
function functions(lifetimeMs?: number): Functions {
  return {
    plan: (event) => stage.step('plan', event),
    windows: (event) => stage.step('windows', event, lifetimeMs),
    end: (event) => stage.step('end', event),
  };
}

const date = (nth: number): string => iso(START + nth * DAY).slice(0, 10);

/** Executions whose masking secret is there. */
async function secrets(): Promise<string[]> {
  using clients = openAwsClients();
  const { signal } = new AbortController();
  return executionsWithSecret({ client: clients.secretsManager, prefix: PREFIX, signal });
}

/** Refuses the manifests of some days, so often each. */
function refuse(days: readonly string[], times: number): Map<string, number> {
  const refused = new Map<string, number>();
  twin.onS3Request = ({ method, key }) => {
    const [day] = /(?<=manifests\/date=)[\d-]+/.exec(key) ?? [];
    if (method !== 'PUT' || day === undefined || !days.includes(day)) return undefined;
    const count = refused.get(day) ?? 0;
    if (count >= times) return undefined;
    refused.set(day, count + 1);
    return { status: 403, code: 'AccessDenied' };
  };
  return refused;
}

/** Every event of these days is in one drop, in the window in which it finished. */
async function expectAll(): Promise<Drop[]> {
  const drops = await readDrops(stage.client);
  const until = START + DAYS * DAY;
  const truth = await finishedEvents(twin.cells, until);
  expect(truth.length).toBeGreaterThan(1000);
  expect(compareWithTruth(drops, truth)).toEqual({ onlyInDrops: [], onlyInDatabase: [] });
  expect(drops).toHaveLength(DAYS);
  for (const { manifest, rows } of drops) {
    const { start, end } = manifest.window;
    const finishes = (rows['jsonl'] ?? []).map((row) => String(row['finish_time']));
    expect(finishes.filter((finish) => finish < start || finish >= end)).toEqual([]);
  }
  return drops;
}

const leftOvers = async (): Promise<string[]> =>
  (await listKeys(stage.client)).filter((key) => /\/state\/(claims|backfills)\//.test(key));

describe(`An execution of the backfill's state machine, run by aws-local-stepfunctions (seed ${SEED})`, () => {
  test('with failures at every tenth window is complete, shares its masks, and leaves nothing but drops', async () => {
    const days = Array.from({ length: DAYS / 10 }, (_, nth) => date(nth * 10 + 3));
    const refused = refuse(days, 1);
    const execution = await execute(functions(), { ...RANGE, concurrency: 2 });
    expect(execution).toMatchObject({ status: 'SUCCEEDED', tolerated: [] });
    expect(refused.size).toBe(4);
    expect(execution.calls.filter(({ error }) => error === 'StoreError').length).toBeGreaterThanOrEqual(2);
    const drops = await expectAll();
    expect(new Set(drops.map(({ manifest }) => manifest.maskingScope))).toEqual(new Set(['none']));
    expect(await secrets()).toEqual([]);
    expect(await leftOvers()).toEqual([]);
  });

  test('masks all its windows alike, and another execution otherwise', async () => {
    for (const name of ['STAR_MASKING', 'STAR_ALLOW_UNSAFE_MASKING']) delete stage.env[name];
    await execute(functions(), { start: date(0), end: date(35) });
    await execute(functions(), { start: date(35), end: date(40) });
    const drops = await readDrops(stage.client);
    const scopes = drops.map(({ manifest }) => manifest.maskingScope);
    expect(new Set(scopes.slice(0, 35)).size).toBe(1);
    expect(new Set(scopes.slice(35)).size).toBe(1);
    expect(scopes[0]).not.toBe(scopes[35]);
    const users = (from: number, to: number): Set<unknown> =>
      new Set(
        drops.slice(from, to).flatMap(({ rows }) => (rows['jsonl'] ?? []).map((row) => row['user_id'])),
      );
    expect(users(0, 31).isSubsetOf(users(31, 35)) || users(31, 35).isSubsetOf(users(0, 31))).toBe(true);
    expect(users(0, 35).isDisjointFrom(users(35, 40))).toBe(true);
    expect(await secrets()).toEqual([]);
  });

  test('with a window that always fails publishes the rest, fails, names it, and a redrive does only that', async () => {
    for (const name of ['STAR_MASKING', 'STAR_ALLOW_UNSAFE_MASKING']) delete stage.env[name];
    refuse([date(17)], Infinity);
    const failed = await execute(functions(), RANGE);
    expect(failed).toMatchObject({ status: 'FAILED', error: 'BackfillIncompleteError' });
    expect(failed.cause).toContain(`: ${date(17)}T00:00:00Z/`);
    const others = await readDrops(stage.client);
    // Behind it in its group nothing is read; other groups are whole.
    expect(others.filter(({ manifest }) => manifest.window.start >= date(31))).toHaveLength(9);
    expect(others.length).toBeGreaterThanOrEqual(26);
    expect(await secrets()).toEqual([]);

    twin.onS3Request = undefined;
    const before = new Map(others.map(({ manifest }) => [manifest.window.start, manifest.created]));
    const redriven = await redrive(failed, functions());
    expect(redriven.status).toBe('SUCCEEDED');
    expect(redriven.calls.filter(({ state }) => state === 'Windows')).toHaveLength(1);
    expect(await secrets()).toEqual([]);
    const after = await readDrops(stage.client);
    expect(after).toHaveLength(DAYS);
    for (const { manifest } of after) {
      const created = before.get(manifest.window.start);
      expect([manifest.created, undefined].includes(created)).toBe(true);
    }
    expect(new Set(after.map(({ manifest }) => manifest.maskingScope)).size).toBe(2);
    expect(await leftOvers()).toEqual([]);
  });

  test('goes on in turns where a worker has too little time for its group', async () => {
    twin.onS3Request = async () => {
      await delay(15);
    };
    const execution = await execute(functions(3500), { ...RANGE, concurrency: 1 });
    expect(execution.status).toBe('SUCCEEDED');
    expect(execution.calls.filter(({ state }) => state === 'Windows').length).toBeGreaterThan(2);
    twin.onS3Request = undefined;
    await expectAll();
    expect(await leftOvers()).toEqual([]);
  });

  test('that is aborted loses its secret by the event that tells so', async () => {
    for (const name of ['STAR_MASKING', 'STAR_ALLOW_UNSAFE_MASKING']) delete stage.env[name];
    const controller = new AbortController();
    const cut: Functions = {
      ...functions(),
      windows() {
        controller.abort();
        return new Promise(() => undefined);
      },
    };
    const aborted = await execute(cut, RANGE, { signal: controller.signal });
    expect(aborted.status).toBe('ABORTED');
    expect(await secrets()).toEqual([aborted.name]);
    await stage.step('end', statusChange(aborted));
    expect(await secrets()).toEqual([]);
    // It may be told twice.
    expect(await stage.step('end', statusChange(aborted))).toEqual({});
  });

  test('makes its secret anew where it is gone in the middle', async () => {
    for (const name of ['STAR_MASKING', 'STAR_ALLOW_UNSAFE_MASKING']) delete stage.env[name];
    let turns = 0;
    const real = functions();
    const execution = await execute(
      {
        ...real,
        async windows(event, state) {
          if (++turns === 2) await stage.step('end', statusChange({ name: 'gone', status: 'ABORTED' }));
          return real.windows(event, state);
        },
      },
      { ...RANGE, concurrency: 1 },
      { name: 'gone' },
    );
    expect(execution.status).toBe('SUCCEEDED');
    expect(execution.calls.map(({ state }) => state)).toContain('RenewForGroup');
    expect(await readDrops(stage.client)).toHaveLength(DAYS);
    expect(await secrets()).toEqual([]);
  });

  test('replaces what is published, and does not take an old drop for a new one', async () => {
    await execute(functions(), { ...RANGE, formats: ['csv'] });
    refuse([date(17)], Infinity);
    const failed = await execute(functions(), { ...RANGE, replace: true });
    expect(failed).toMatchObject({ status: 'FAILED', error: 'BackfillIncompleteError' });
    twin.onS3Request = undefined;
    const redriven = await redrive(failed, functions());
    expect(redriven.status).toBe('SUCCEEDED');
    await expectAll();
    expect((await listKeys(stage.client)).filter((key) => key.endsWith('.csv.gz'))).toEqual([]);
  });

  test('over nothing that is left to be made succeeds at once', async () => {
    await execute(functions(), RANGE);
    const again = await execute(functions(), RANGE);
    expect(again.status).toBe('SUCCEEDED');
    expect(again.calls.map(({ state }) => state)).toEqual(['Plan', 'Judge']);
    expect(await secrets()).toEqual([]);
  });

  test('fails at its plan, and makes no secret, where the range cannot be published', async () => {
    stage.env['STAR_WINDOW_MINUTES'] = '720';
    await stage.backfill({ start: date(3), end: date(4) });
    stage.env['STAR_WINDOW_MINUTES'] = '1440';
    const failed = await execute(functions(), RANGE);
    expect(failed).toMatchObject({ status: 'FAILED', error: 'InputError', failedAt: { state: 'Plan' } });
    expect(failed.cause).toMatch(/overlaps window .*of another length/);
    expect(await secrets()).toEqual([]);
  });
});

describe('The door of backfills, with a stand-in for Step Functions', () => {
  test('hands a long range to the state machine, and says how to watch it', async () => {
    const summary = await stage.backfill({ ...RANGE, concurrency: 8, formats: ['csv'] });
    const [started] = machine.executions();
    expect(summary).toMatchObject({ status: 'started', windows: DAYS, execution: { arn: started?.arn } });
    expect(summary.execution?.watch).toContain(`describe-execution --execution-arn ${started?.arn}`);
    expect(started?.input).toEqual({
      start: '2026-08-01T00:00:00Z',
      end: '2026-09-10T00:00:00Z',
      formats: ['csv'],
      concurrency: 8,
    });
    expect(await listKeys(stage.client)).toEqual([]);
    await execute(functions(), started?.input, { name: started?.name ?? '' });
    expect(await readDrops(stage.client)).toHaveLength(DAYS);
  });

  test('makes a short range itself, and only looks where it is to', async () => {
    expect((await stage.backfill({ start: date(0), end: date(31) })).status).toBe('published');
    expect((await stage.backfill({ ...RANGE, dryRun: true })).status).toBe('planned');
    expect(machine.executions()).toEqual([]);
  });

  test('sweeps away secrets of executions that are over or were never there, and no others', async () => {
    const { signal } = new AbortController();
    const first = await stage.backfill(RANGE);
    const second = await stage.backfill(RANGE);
    const [running, ended] = machine.executions();
    expect([first.status, second.status]).toEqual(['started', 'started']);
    if (running === undefined || ended === undefined) throw new Error('two executions were started');
    ended.status = 'TIMED_OUT';
    using clients = openAwsClients();
    const place = { client: clients.secretsManager, prefix: PREFIX, signal };
    for (const name of [running.name, ended.name, 'never']) await makeSecret(place, name);
    expect(await stage.step('end', { sweep: true })).toEqual({ destroyed: 2 });
    expect(await secrets()).toEqual([running.name]);
  });
});
