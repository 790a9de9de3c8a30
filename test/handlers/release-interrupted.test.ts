import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { BUCKET } from '../support/stage.ts';
import { listKeys, readDrops, readObject } from '../support/drops.ts';
import { SEED, date, usePast } from '../support/past.ts';
import { type Execution, type Functions, statusChange } from '../support/state-machine/run.ts';

/** One group of 31 windows, and one of four. */
const DAYS = 35;
/** 40 % of these. */
const REACHED = 14;
const ROOT = 'cloud=test-year';
const REQUEST = { start: date(0), end: date(DAYS), release: 'year', concurrency: 1 };
/** For what does not need two groups. */
const SHORT = { ...REQUEST, end: date(4) };

const past = usePast({ days: DAYS, eventsPerDay: 12 });

const manifests = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(await past.objects(`${ROOT}/manifests/`)).filter(([key]) => key.endsWith('.json')),
  );
const scopeOfTrace = async (): Promise<unknown> => {
  const trace = await readObject(past.stage.client, `${ROOT}/state/trace.json`);
  return (JSON.parse(trace.toString()) as { maskingScope: unknown }).maskingScope;
};

/** All windows, in the scope with which it was begun, those of before untouched; and nothing left over. */
async function expectComplete(days: number, scope: unknown, before: Record<string, string>): Promise<void> {
  const drops = await readDrops(past.stage.client, `${ROOT}/`);
  expect(drops).toHaveLength(days);
  expect(new Set(drops.map(({ manifest }) => manifest.masking.scope))).toEqual(new Set([scope]));
  expect(await manifests()).toMatchObject(before);
  const root = await listKeys(past.stage.client, `${ROOT}/`);
  expect(root).toEqual(expect.arrayContaining([`${ROOT}/datapackage.json`, `${ROOT}/release.json`]));
  expect(root.filter((key) => key.includes('/state/backfills/'))).toEqual([]);
  expect(past.secrets()).toEqual([]);
}

const stopped = (execution: Execution): Promise<object> => past.stage.step('end', statusChange(execution));

/** Stops an execution as soon as so many windows are there, and waits for the worker that was under way. */
async function stopAfter(windows: number, request: object): Promise<Execution> {
  const stop = new AbortController();
  const dying = past.dyingAfter(windows);
  const refuse = past.onS3Request;
  past.onS3Request = (asked) => {
    const refusal = refuse?.(asked);
    if (refusal !== undefined) stop.abort();
    return refusal;
  };
  const work: unknown[] = [];
  const worker: Partial<Functions> = {
    windows(event, state) {
      const working = dying.windows?.(event, state);
      work.push(working);
      return working;
    },
  };
  const execution = await past.ask(request, worker, { signal: stop.signal });
  await Promise.allSettled(work);
  past.onS3Request = undefined;
  return execution;
}

describe(`A release that a worker interrupts at 40 % (seed ${SEED})`, () => {
  test('keeps its secret, and is completed by a redrive with that', async () => {
    const failed = await past.ask(REQUEST, past.dyingAfter(REACHED));
    expect(failed).toMatchObject({
      status: 'FAILED',
      error: 'States.ExceedToleratedFailureThreshold',
      failed: [{ error: 'Runtime.ExitError' }],
    });
    expect(past.secrets()).toEqual(['release/year']);
    const [before, scope] = [await manifests(), await scopeOfTrace()];
    expect(Object.keys(before)).toHaveLength(REACHED);
    expect(
      Object.keys(await past.objects()).filter((key) => /\/(release|datapackage)\.json$/.test(key)),
    ).toEqual([]);

    past.onS3Request = undefined;
    const redriven = await past.redrive(failed);
    expect(redriven.status).toBe('SUCCEEDED');
    await expectComplete(DAYS, scope, before);
  });

  test('is completed by asking again, with the same secret', async () => {
    const failed = await past.ask(REQUEST, past.dyingAfter(REACHED));
    const [before, scope] = [await manifests(), await scopeOfTrace()];
    past.onS3Request = undefined;
    const again = await past.ask(REQUEST);
    expect(again.name).not.toBe(failed.name);
    expect(again).toMatchObject({
      status: 'SUCCEEDED',
      output: { summary: { published: REACHED, due: DAYS - REACHED } },
    });
    await expectComplete(DAYS, scope, before);

    // A redrive of the first finds that all is done.
    const all = await past.objects();
    expect((await past.redrive(failed)).status).toBe('SUCCEEDED');
    expect(await past.objects()).toEqual(all);
  });

  test('and that is stopped has no secret any more; its folder is deleted, or another name chosen', async () => {
    const aborted = await stopAfter(REACHED, REQUEST);
    expect(aborted.status).toBe('ABORTED');
    expect(past.secrets()).toEqual(['release/year']);
    expect(await stopped(aborted)).toEqual({ destroyed: 1 });
    expect(past.secrets()).toEqual([]);
    // It may be told twice.
    expect(await stopped(aborted)).toEqual({ destroyed: 0 });

    const before = await past.objects();
    for (const again of [await past.redrive(aborted), await past.ask(REQUEST)]) {
      expect(again.status).toBe('FAILED');
      const { error, cause } = again.failed[0] ?? again;
      expect(error).toBe('MaskingSecretGoneError');
      expect(cause).toBe(
        'the masking secret of release/year has been destroyed; choose another name, or delete the incomplete ' +
          'release’s folder and ask again',
      );
      expect(again.calls.filter(({ error: thrown }) => thrown !== undefined)).toHaveLength(1);
    }
    expect(await past.objects()).toEqual(before);
    expect(past.secrets()).toEqual([]);

    expect((await past.ask({ ...SHORT, release: 'other' })).status).toBe('SUCCEEDED');
    for (const Key of await listKeys(past.stage.client, `${ROOT}/`))
      await past.stage.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    expect((await past.ask(SHORT)).status).toBe('SUCCEEDED');
    await expectComplete(4, await scopeOfTrace(), {});
  });
});

describe('A release that is stopped', () => {
  test('keeps its secret while another execution of it has failed and can be redriven', async () => {
    const failed = await past.ask(SHORT, past.dyingAfter(1));
    const [before, scope] = [await manifests(), await scopeOfTrace()];
    const aborted = await stopAfter(1, SHORT);
    expect(aborted.status).toBe('ABORTED');
    expect(await stopped(aborted)).toEqual({ destroyed: 0 });
    expect(past.secrets()).toEqual(['release/year']);
    expect(await past.stage.step('end', { sweep: true })).toEqual({ destroyed: 0 });

    expect((await past.redrive(failed)).status).toBe('SUCCEEDED');
    await expectComplete(4, scope, before);
  });

  test('loses it once that execution cannot be redriven any more', async () => {
    const failed = await past.ask(SHORT, past.dyingAfter(1));
    const aborted = await stopAfter(1, SHORT);
    past.started(failed).isBeyondRedrive = true;
    expect(await stopped(aborted)).toEqual({ destroyed: 1 });
    expect(past.secrets()).toEqual([]);
  });

  test('and redriven before that was told keeps it', async () => {
    const aborted = await stopAfter(1, SHORT);
    past.started(aborted).status = 'RUNNING';
    expect(await stopped(aborted)).toEqual({ destroyed: 0 });
    expect((await past.redrive(aborted)).status).toBe('SUCCEEDED');
    await expectComplete(4, await scopeOfTrace(), {});
  });
});

describe('A release whose folder was deleted', () => {
  /** It has failed, so its secret is still there. */
  async function deleted(): Promise<unknown> {
    await past.ask(SHORT, past.dyingAfter(1));
    past.onS3Request = undefined;
    const scope = await scopeOfTrace();
    for (const Key of await listKeys(past.stage.client, `${ROOT}/`))
      await past.stage.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    expect(past.secrets()).toEqual(['release/year']);
    return scope;
  }

  test('has other masks when it is asked for again', async () => {
    const scope = await deleted();
    expect((await past.ask(SHORT)).status).toBe('SUCCEEDED');
    expect(await scopeOfTrace()).not.toEqual(scope);
    await expectComplete(4, await scopeOfTrace(), {});
  });

  test('has one scope where two executions begin it again at once', async () => {
    await deleted();
    const both = await Promise.all([past.ask(SHORT), past.ask(SHORT)]);
    expect(both.map(({ status }) => status)).toContain('SUCCEEDED');
    await expectComplete(4, await scopeOfTrace(), {});
  });
});

test('A release whose windows are all there, but not its proof, is completed although its secret is gone', async () => {
  const failed = await past.ask(SHORT, {
    async end() {
      throw Object.assign(new Error('no more memory'), { name: 'InternalError' });
    },
  });
  expect(failed.status).toBe('FAILED');
  past.stage.secretsManager.backdate('star-compactor-test/backfill/release/year', 0);
  expect(await past.stage.step('end', { sweep: true })).toMatchObject({ destroyed: 1 });
  const [before, scope] = [await manifests(), await scopeOfTrace()];
  expect((await past.ask(SHORT)).status).toBe('SUCCEEDED');
  await expectComplete(4, scope, before);
});

test('A release whose plan failed for a wrong password leaves nothing, and is asked for again by its name', async () => {
  const dsns = Object.fromEntries(past.cells.map((cell) => [cell.name, cell.dsn()]));
  const wrong = Object.entries(dsns).map(([name, dsn]) => [name, dsn.replace(/:[^:@]+@/, ':wrong@')]);
  await past.stage.setSecret(JSON.stringify({ cells: Object.fromEntries(wrong), ssl: 'off' }));
  const failed = await past.ask(SHORT);
  expect(failed).toMatchObject({ status: 'FAILED', stoppedAt: { state: 'Plan' } });
  expect(await listKeys(past.stage.client)).toEqual([]);
  expect(past.secrets()).toEqual([]);

  await past.stage.setSecret(JSON.stringify({ cells: dsns, ssl: 'off' }));
  expect((await past.ask(SHORT)).status).toBe('SUCCEEDED');
  await expectComplete(4, await scopeOfTrace(), {});
});

test('A plan whose answer was lost is made again, with the same secret, groups and range', async () => {
  const answers: object[] = [];
  // The source has nothing of the first days.
  const execution = await past.ask(
    { ...SHORT, start: '2025-07-25' },
    {
      async plan(event) {
        answers.push(await past.stage.step('plan', event));
        if (answers.length === 1) throw Object.assign(new Error('no answer'), { name: 'Lambda.Unknown' });
        return answers[1];
      },
    },
  );
  expect(execution.status).toBe('SUCCEEDED');
  const [lost, again] = answers as { groups: object[]; request: object }[];
  expect(again).toMatchObject({ groups: lost?.groups, request: lost?.request });
  await expectComplete(4, await scopeOfTrace(), {});
});

test('A release that another execution has completed meanwhile is complete for this one too', async () => {
  const { promise: isPlanned, resolve: planned } = Promise.withResolvers<void>();
  const { promise: isDone, resolve: done } = Promise.withResolvers<void>();
  const slow = past.ask(SHORT, {
    async plan(event) {
      const plan = await past.stage.step('plan', event);
      planned();
      return plan;
    },
    async windows(event) {
      await isDone;
      return past.stage.step('windows', event);
    },
  });
  await isPlanned;
  const quick = await past.ask(SHORT);
  expect(quick.status).toBe('SUCCEEDED');
  const all = await past.objects();
  done();
  expect((await slow).status).toBe('SUCCEEDED');
  expect(await past.objects()).toEqual(all);
  await expectComplete(4, await scopeOfTrace(), {});
});
