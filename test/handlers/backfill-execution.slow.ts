import { describe, expect, test } from 'vitest';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { type Drop, listKeys, readDrops } from '../support/drops.ts';
import { compareWithTruth } from '../support/nova/compare.ts';
import { UNMASKED } from '../support/nova/scene.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import { SEED, START, date, usePast } from '../support/past.ts';

/** One group of 31 windows, and one of three. */
const DAYS = 34;
const RANGE = { start: date(0), end: date(DAYS) };

const past = usePast({ days: DAYS, eventsPerDay: 20, reports: true });

/** Every event of these days is in one drop, in the window in which it finished. */
async function expectAll(): Promise<Drop[]> {
  const drops = await readDrops(past.stage.client);
  const truth = await finishedEvents(past.cells, START + DAYS * DAY);
  expect(truth.length).toBeGreaterThan(500);
  expect(compareWithTruth(drops, truth)).toEqual({ onlyInDrops: [], onlyInDatabase: [] });
  expect(drops).toHaveLength(DAYS);
  for (const { manifest, rows } of drops) {
    const { start, end } = manifest.window;
    const finishes = (rows['jsonl'] ?? []).map((row) => String(row['finish_time']));
    expect(finishes.filter((finish) => finish < start || finish >= end)).toEqual([]);
  }
  return drops;
}

const scopes = async (): Promise<Set<string>> => {
  const drops = await readDrops(past.stage.client, '', { rows: false });
  return new Set(drops.map(({ manifest }) => manifest.masking.scope));
};
const plans = (): Promise<string[]> => listKeys(past.stage.client, 'cloud=test/state/backfills/');

describe(`A long backfill (seed ${SEED})`, () => {
  test('is handed to the state machine, says how to watch it, and leaves nothing but drops', async () => {
    Object.assign(past.stage.env, UNMASKED);
    const summary = await past.stage.backfill({ ...RANGE, concurrency: 8 });
    const [started] = past.machine.executions();
    expect(summary).toMatchObject({ status: 'started', windows: DAYS, execution: { arn: started?.arn } });
    expect(summary.execution?.watch).toContain(`describe-execution --execution-arn ${started?.arn}`);
    expect(started?.input).toEqual({ ...RANGE, concurrency: 8 });
    expect(await listKeys(past.stage.client)).toEqual([]);

    const execution = await past.ask({ ...RANGE, concurrency: 8 });
    expect(execution).toMatchObject({
      status: 'SUCCEEDED',
      output: { groups: { windows: DAYS, groups: 2 } },
    });
    await expectAll();
    expect(past.secrets()).toEqual([]);
    expect(await plans()).toEqual([]);
    // Nothing that the schedule goes by, but where it will begin.
    const state = await listKeys(past.stage.client, 'cloud=test/state/');
    expect(state.filter((key) => !key.includes('/claims/'))).toEqual([
      'cloud=test/state/index.json',
      'cloud=test/state/trace.json',
    ]);
  });

  test('is made here and now up to 31 windows, and only looked at where that is asked for', async () => {
    expect((await past.stage.backfill({ start: date(0), end: date(31) })).status).toBe('published');
    expect((await past.stage.backfill({ ...RANGE, dryRun: true })).status).toBe('planned');
    expect(past.machine.executions()).toEqual([]);
  });

  test('with failures at every tenth window is complete', async () => {
    Object.assign(past.stage.env, UNMASKED);
    const refused = new Set<string>();
    past.onS3Request = ({ operation, key }) => {
      const [day = ''] = /(?<=manifests\/date=)[\d-]+/.exec(key) ?? [];
      if (operation !== 'PutObject' || !day.endsWith('3') || refused.has(day)) return undefined;
      refused.add(day);
      return { status: 403, code: 'AccessDenied' };
    };
    const execution = await past.ask({ ...RANGE, concurrency: 2 });
    expect(execution).toMatchObject({ status: 'SUCCEEDED', failed: [] });
    expect([...refused].toSorted()).toEqual(['2025-08-03', '2025-08-13', '2025-08-23', '2025-09-03']);
    expect(execution.calls.filter(({ error }) => error === 'StoreError').length).toBeGreaterThanOrEqual(3);
    await expectAll();
  });

  test('goes on where a worker has too little time for its group', async () => {
    Object.assign(past.stage.env, UNMASKED);
    let manifests = 0;
    const { promise: isOver, resolve: answer } = Promise.withResolvers<void>();
    past.onS3Request = async ({ operation, key }) => {
      const isManifest = operation === 'PutObject' && /\/manifests\/.*\.json$/.test(key);
      if (!isManifest || ++manifests !== 6) return undefined;
      // The first worker waits for this until its time is over, and it is not written afterwards.
      await isOver;
      return { status: 503, code: 'SlowDown' };
    };
    let workers = 0;
    const execution = await past.ask(
      { ...RANGE, concurrency: 1 },
      {
        windows: (event) =>
          past.stage.step('windows', event, ++workers === 1 ? 12_000 : undefined).finally(answer),
      },
    );
    expect(execution.status).toBe('SUCCEEDED');
    const worked = execution.calls.filter(({ state }) => state === 'Windows');
    expect(worked.map(({ error, result }) => error ?? result)).toEqual([
      'DeadlineError',
      { done: 26 },
      { done: 3 },
    ]);
    past.onS3Request = undefined;
    await expectAll();
    expect(await plans()).toEqual([]);
  });

  test('masks all its windows alike', async () => {
    await past.ask(RANGE);
    expect((await scopes()).size).toBe(1);
    const drops = await readDrops(past.stage.client);
    const users = (from: number, to: number): Set<unknown> =>
      new Set(
        drops.slice(from, to).flatMap(({ rows }) => (rows['jsonl'] ?? []).map((row) => row['user_id'])),
      );
    expect(users(0, 31).intersection(users(31, DAYS)).size).toBeGreaterThan(0);
    expect(past.secrets()).toEqual([]);
  });

  test('with a worker that always fails keeps its secret, and a redrive does the rest with that', async () => {
    const failed = await past.ask({ ...RANGE, concurrency: 1 }, past.dyingAfter(14));
    expect(failed).toMatchObject({
      status: 'FAILED',
      error: 'States.ExceedToleratedFailureThreshold',
      failed: [{ error: 'Runtime.ExitError' }],
    });
    expect(past.secrets()).toEqual([`execution/${failed.name}`]);
    const before = await past.objects('cloud=test/manifests/');

    past.onS3Request = undefined;
    const redriven = await past.redrive(failed);
    expect(redriven.status).toBe('SUCCEEDED');
    expect(redriven.calls.map(({ state }) => state)).toEqual(['Windows', 'Windows', 'Verify']);
    expect(await past.objects('cloud=test/manifests/')).toMatchObject(before);
    expect(await readDrops(past.stage.client)).toHaveLength(DAYS);
    expect((await scopes()).size).toBe(1);
    expect(past.secrets()).toEqual([]);
    expect(await plans()).toEqual([]);
  });

  test('that failed is finished by asking again, with other masks', async () => {
    const failed = await past.ask({ ...RANGE, concurrency: 1 }, past.dyingAfter(14));
    past.onS3Request = undefined;
    const before = await past.objects('cloud=test/manifests/');
    // 14 drops, and one that is decided.
    const again = await past.stage.backfill({ start: date(0), end: date(16) });
    expect(again).toMatchObject({ status: 'published', alreadyPublished: expect.anything() });
    expect((await past.ask(RANGE)).status).toBe('SUCCEEDED');
    expect(await past.objects('cloud=test/manifests/')).toMatchObject(before);
    expect(await readDrops(past.stage.client)).toHaveLength(DAYS);
    expect((await scopes()).size).toBe(3);
    // That of the failed one is kept for its redrive, which finds nothing to do.
    expect(past.secrets()).toEqual([`execution/${failed.name}`]);
    expect((await past.redrive(failed)).status).toBe('SUCCEEDED');
    expect(past.secrets()).toEqual([]);
  });

  test('over nothing that is left to be made succeeds at once', async () => {
    Object.assign(past.stage.env, UNMASKED);
    await past.ask(RANGE);
    const before = await past.objects();
    const again = await past.ask(RANGE);
    expect(again.status).toBe('SUCCEEDED');
    expect(again.calls.map(({ state }) => state)).toEqual(['Plan', 'Verify']);
    expect(await past.objects()).toEqual(before);
    expect(past.secrets()).toEqual([]);
  });

  test('lies before what the schedule publishes, which goes on from its checkpoint', async () => {
    Object.assign(past.stage.env, UNMASKED);
    await past.stage.run(START + DAYS * DAY + 45 * MINUTE);
    const before = await past.objects('cloud=test/state/');
    const execution = await past.ask({ start: date(0), end: date(DAYS - 1) });
    expect(execution.status).toBe('SUCCEEDED');
    expect(await past.objects('cloud=test/state/')).toMatchObject(
      Object.fromEntries(Object.entries(before).filter(([key]) => !key.endsWith('/index.json'))),
    );
    await expectAll();
    await expect(past.stage.backfill(RANGE)).rejects.toThrow(/event: end: .*the trace begins at 2025-09-03/);
  });

  test('fails at its plan, and makes no secret, where the schedule has begun the trace meanwhile', async () => {
    const first = await past.ask(RANGE, {
      plan() {
        throw Object.assign(new Error('not yet'), { name: 'InputError' });
      },
    });
    await past.stage.run(START + 10 * DAY + 45 * MINUTE);
    const before = await past.objects();
    const failed = await past.redrive(first);
    expect(failed).toMatchObject({ status: 'FAILED', error: 'InputError', stoppedAt: { state: 'Plan' } });
    expect(failed.cause).toMatch(/^event: end: .*the trace begins at 2025-08-10T00:00:00Z/);
    expect(await past.objects()).toEqual(before);
    expect(past.secrets()).toEqual([]);
  });
});
