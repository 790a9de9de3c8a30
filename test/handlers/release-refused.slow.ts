import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../lib/core/errors.ts';
import { DAY } from '../../lib/core/time.ts';
import { listKeys, readDrops, readObject } from '../support/drops.ts';
import { replay } from '../support/nova/history.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { UNMASKED } from '../support/nova/scene.ts';
import { createCell } from '../support/nova/schema.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { startOpenStack } from '../support/openstack/index.ts';
import { SEED, START, date, usePast } from '../support/past.ts';
import type { Execution } from '../support/state-machine/run.ts';

const DAYS = 4;
const REQUEST = { start: date(0), end: date(DAYS), release: 'year' };
const ROOT = 'cloud=test-year';

const past = usePast({ days: 6, eventsPerDay: 20, reports: true });

/** The scope that the release was begun with. */
const scopeOfTrace = async (): Promise<unknown> => {
  const trace = await readObject(past.stage.client, `${ROOT}/state/trace.json`);
  return (JSON.parse(trace.toString()) as { maskingScope: unknown }).maskingScope;
};

describe('A request for an incomplete release', () => {
  const env = (name: string, value: string) => (): void => void (past.stage.env[name] = value);
  const other =
    /^event: release: cloud=test-year was begun with other settings, another masking secret or another kind of source than/;
  const remedy = /choose another name, or delete (that folder|cloud=test-year) if it is incomplete$/;

  /** A release of which two windows are published. */
  async function interrupted(): Promise<{
    failed: Execution;
    scope: unknown;
    before: Record<string, string>;
  }> {
    const failed = await past.ask(REQUEST, past.dyingAfter(2));
    past.onS3Request = undefined;
    return { failed, scope: await scopeOfTrace(), before: await past.objects() };
  }

  /** Nothing was written meanwhile, and the same request, with the same settings, completes the release. */
  async function expectUnharmed(before: Record<string, string>, scope: unknown): Promise<void> {
    expect(await past.objects()).toEqual(before);
    expect(past.secrets()).toEqual(['release/year']);
    for (const name of Object.keys(past.stage.env)) if (!(name in deployed)) delete past.stage.env[name];
    Object.assign(past.stage.env, deployed);
    expect((await past.ask(REQUEST)).status).toBe('SUCCEEDED');
    const drops = await readDrops(past.stage.client, `${ROOT}/`);
    expect(drops.map(({ manifest }) => manifest.masking.scope)).toEqual([scope, scope, scope, scope]);
    expect(past.secrets()).toEqual([]);
  }

  let deployed: Record<string, string>;
  beforeEach(() => {
    deployed = { ...past.stage.env };
  });

  test.each<[string, object, RegExp]>([
    [
      'another range',
      { end: date(5) },
      /^event: start, end: got 2025-08-01T00:00:00Z\/2025-08-06T00:00:00Z, but the release was begun with 2025-08-01T00:00:00Z\/2025-08-05/,
    ],
    [
      'other formats',
      { formats: ['csv'] },
      /^event: formats: got csv, but the release was begun with jsonl; accepted: the same/,
    ],
  ])('with %s is refused at once, and the same completes it', async (_, change, message) => {
    const { scope, before } = await interrupted();
    const refused: unknown = await past.stage
      .backfill({ ...REQUEST, ...change })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InputError);
    expect((refused as InputError).message).toMatch(message);
    expect((refused as InputError).message).toMatch(remedy);
    expect(past.machine.executions()).toHaveLength(1);
    await expectUnharmed(before, scope);
  });

  test.each([
    ['STAR_FORMATS', 'csv', /^event: formats: got csv, but .* jsonl;/],
    ['STAR_COMPRESSION', 'zstd', /^event: compression: got zstd, but .* gzip;/],
    ['STAR_TABLES', 'instances', /^STAR_TABLES: got instances, but .* instance_events;/],
  ])('with another %s of the deployment is refused at once', async (name, value, message) => {
    const { scope, before } = await interrupted();
    env(name, value)();
    await expect(past.stage.backfill(REQUEST)).rejects.toThrow(message);
    await expectUnharmed(before, scope);
  });

  test.each<[string, () => Promise<void> | void]>([
    ['somebody left out', env('STAR_EXCLUDE_USERS', 'mallory')],
    ['a project left out', env('STAR_EXCLUDE_PROJECTS', 'secret')],
    ['another epoch', env('STAR_EPOCH', 'window')],
    ['another version of CSV', env('STAR_FORMAT_VERSION', '0.3')],
    ['racks', env('STAR_RACK_PATTERN', '^(r\\d+)-')],
    ['hosts that are forced down counted as disabled', env('STAR_FORCED_DOWN_AS', 'DISABLE')],
    ['hosts of another kind', env('STAR_MACHINES', 'baremetal')],
    ['no reports', env('STAR_REPORT', 'false')],
    ['another licence', env('STAR_LICENCE', 'CC-BY-4.0')],
    ['windows of another length', env('STAR_WINDOW_MINUTES', '60')],
    ['another method of masking', () => void Object.assign(past.stage.env, UNMASKED)],
    [
      'a masking secret of the operator’s',
      async () => {
        await past.stage.createSecret('masks', randomBytes(32));
        past.stage.env['STAR_MASKING_SECRET'] = 'masks';
      },
    ],
  ])('with %s is refused by the plan and by a worker, and the same completes it', async (_, change) => {
    const { failed, scope, before } = await interrupted();
    await change();
    const refused = await past.ask(REQUEST);
    expect(refused).toMatchObject({ status: 'FAILED', error: 'InputError', stoppedAt: { state: 'Plan' } });
    expect(refused.cause).toMatch(other);
    expect(refused.cause).toMatch(remedy);
    const redriven = await past.redrive(failed);
    expect(redriven).toMatchObject({
      status: 'FAILED',
      failed: [{ error: 'InputError', cause: refused.cause }],
    });
    await expectUnharmed(before, scope);
  });

  test('with another masking secret of the operator’s is refused', async () => {
    for (const name of ['masks', 'others']) await past.stage.createSecret(name, randomBytes(32));
    env('STAR_MASKING_SECRET', 'masks')();
    await past.ask(REQUEST, past.dyingAfter(2));
    past.onS3Request = undefined;
    const before = await past.objects();
    env('STAR_MASKING_SECRET', 'others')();
    expect(await past.ask(REQUEST)).toMatchObject({
      error: 'InputError',
      cause: expect.stringMatching(other),
    });
    expect(await past.objects()).toEqual(before);
    env('STAR_MASKING_SECRET', 'masks')();
    expect((await past.ask(REQUEST)).status).toBe('SUCCEEDED');
  });

  test('from another kind of source is refused', async () => {
    await past.ask(REQUEST, past.dyingAfter(2));
    past.onS3Request = undefined;
    const before = await past.objects();
    const openstack = await startOpenStack({ cells: past.cells, now: () => Math.floor(Date.now() / 1000) });
    try {
      await past.stage.setSecret(openstack.secret());
      expect(await past.ask(REQUEST)).toMatchObject({
        error: 'InputError',
        cause: expect.stringMatching(other),
      });
      expect(await past.objects()).toEqual(before);
    } finally {
      await openstack.stop();
    }
  });
});

test('A plan with a clock that is not the source’s is refused, with nothing written and no secret made', async () => {
  const openstack = await startOpenStack({ cells: past.cells, now: () => START + 100 * DAY });
  try {
    await past.stage.setSecret(openstack.secret());
    const long = { start: '2025-07-01', end: date(DAYS) };
    for (const request of [REQUEST, long]) {
      const refused = await past.ask(request);
      expect(refused).toMatchObject({ status: 'FAILED', error: 'ClockError', stoppedAt: { state: 'Plan' } });
      expect(refused.calls).toHaveLength(1);
    }
    expect(await listKeys(past.stage.client)).toEqual([]);
    expect(past.secrets()).toEqual([]);
  } finally {
    await openstack.stop();
  }
});

test('A window that the source purges between plan and worker fails the release for good', async () => {
  const cell = await createCell(past.db, 'purged');
  try {
    const history = { seed: SEED, start: START, days: 6, eventsPerDay: 30, cells: ['purged'] };
    await replay([cell], randomHistory(history).changes).applyUntil(START + 20 * DAY);
    await past.stage.setSecret(JSON.stringify({ cells: { purged: cell.dsn() }, ssl: 'off' }));
    const failed = await past.ask(REQUEST, {
      async windows(event) {
        await cell.query(
          `DELETE FROM instance_actions_events WHERE start_time < '${sqlTime(START + 2 * DAY)}'`,
        );
        return past.stage.step('windows', event);
      },
    });
    expect(failed).toMatchObject({ status: 'FAILED', failed: [{ error: 'HistoryGoneError' }] });
    expect(failed.calls.filter(({ state }) => state === 'Windows')).toHaveLength(1);
    expect(failed.failed[0]?.cause).toBe(
      'window 2025-08-01T00:00:00Z/2025-08-02T00:00:00Z: the source has purged it since the backfill was planned; ' +
        'ask for a later range under another name, or delete the incomplete release’s folder first',
    );
    expect(await readDrops(past.stage.client)).toEqual([]);
    expect(await past.ask(REQUEST)).toMatchObject({
      error: 'HistoryGoneError',
      stoppedAt: { state: 'Plan' },
    });

    const later = await past.ask({ ...REQUEST, start: date(3), release: 'later' });
    expect(later.status).toBe('SUCCEEDED');
  } finally {
    await past.db.query(`DROP DATABASE \`${cell.database}\``);
  }
});
