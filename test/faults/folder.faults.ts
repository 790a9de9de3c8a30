import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { publish } from '../../lib/command/publish.ts';
import { placeOf } from '../../lib/drop/place.ts';
import { openFolder } from '../../lib/store/folder/folder-store.ts';
import { verifyTrace } from '../../lib/verify/verify-trace.ts';
import { HOUR, iso } from '../../lib/core/time.ts';
import { folderClient } from '../support/folder/client.ts';
import type { FolderRun } from '../support/folder/runner.ts';
import { gather } from '../support/gather.ts';
import { type Cloud, type Hour, UNMASKED, expectExactlyOnce, startCloud } from '../support/invoke/cloud.ts';
import {
  type Outcome,
  type Runtime,
  type RuntimePool,
  startRuntime,
  startRuntimes,
} from '../support/invoke/runtime.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { seeded } from '../support/nova/prng.ts';

/* As crash.slow.ts and simultaneous.slow.ts of the handlers, but into a folder, whose steps are those on the disk. */

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1e6);
const RANDOM_KILLS = 40;
const HOURS_AT_ONCE = 25;
const RUNNER = fileURLToPath(new URL('../support/folder/runner.ts', import.meta.url));

let db: MariaDb;
let runtimes: RuntimePool;
let cloud: Cloud;
let work: string;
let folder: string;

/** Sixty processes in turn take their time on a busy machine. */
const PATIENCE = { timeout: 1_200_000 };

let cache: string;

beforeAll(async () => {
  // Processes that are killed leave no compiled code behind; this one does, and saves each of them half a start.
  cache = await mkdtemp(join(tmpdir(), 'star-compactor-compiled-'));
  process.env['NODE_COMPILE_CACHE'] = cache;
  await promisify(execFile)(process.execPath, [RUNNER]);
  runtimes = startRuntimes(RUNNER);
  db = await startMariaDb();
});
afterAll(async () => {
  delete process.env['NODE_COMPILE_CACHE'];
  await rm(cache, { recursive: true });
  await runtimes.stop();
  await db.stop();
});
beforeEach(async () => {
  // JSON lines of the runs in this process.
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  cloud = await startCloud(db, { seed: SEED, days: 6 });
  work = await mkdtemp(join(tmpdir(), 'star-compactor-crash-'));
  folder = join(work, 'traces');
  const dsns = Object.fromEntries(cloud.cells.map((cell) => [cell.name, cell.dsn()]));
  await writeFile(join(work, 'secret.json'), JSON.stringify({ cells: dsns, ssl: 'off' }));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cloud.stop();
  await rm(work, { recursive: true });
});

const optionsFor = ({ event }: Hour): FolderRun['options'] => ({
  to: folder,
  cloud: 'test',
  secret: join(work, 'secret.json'),
  windowMinutes: '60',
  formats: 'csv,jsonl',
  masking: UNMASKED.STAR_MASKING,
  allowUnsafeMasking: 'true',
  until: event.scheduledTime,
  json: true,
});

const invoke = (runtime: Runtime, run: FolderRun): Promise<Outcome> => runtime.invoke(run, {});

/** In this process, where nothing goes wrong. */
const repair = (hour: Hour): Promise<number> =>
  publish(
    { ...optionsFor(hour), metrics: join(work, 'metrics') },
    { databases: {}, openStack: {} },
    new AbortController().signal,
  );

async function watermark(): Promise<string> {
  const text = await readFile(join(folder, 'cloud=test', 'state', 'checkpoint.json'), 'utf8');
  return (JSON.parse(text) as { window: { end: string } }).window.end;
}

/** Every event is in one drop, once, and the trace is whole; nothing of dead runs is left. */
async function expectWhole(until: number, drops: number): Promise<void> {
  const seen = { ...cloud, stage: { ...cloud.stage, client: folderClient(folder) } };
  expect(await expectExactlyOnce(seen, until)).toHaveLength(drops);
  await using store = await openFolder(folder, { create: false });
  const place = placeOf({ prefix: '', cloud: 'test' }, store, new AbortController().signal);
  const options = { now: Date.now() / 1000, since: -Infinity, progress: () => undefined };
  expect(await gather(verifyTrace(place, options))).toEqual([]);
  expect(await readdir(join(folder, '.star-compactor', 'runs'))).toEqual([]);
}

interface Met {
  /** Of the last run, which met nothing because it had fewer steps. */
  readonly outcome: Outcome;
  readonly hour: Hour;
  readonly steps: number;
}

/** Has a run meet something before each of its steps, one an hour, and followed by one that meets nothing. */
async function beforeEveryStep(
  meet: (step: number) => Partial<FolderRun>,
  met: (outcome: Outcome) => boolean,
): Promise<Met> {
  const first = await cloud.nextHour();
  expect(await repair(first)).toBe(0);
  let runtime = await runtimes.take();
  for (let step = 1; ; step++) {
    const hour = await cloud.nextHour();
    const outcome = await invoke(runtime, { options: optionsFor(hour), ...meet(step) });
    const isDead = outcome === 'killed';
    if (!met(outcome)) return { outcome, hour, steps: step - 1 };
    if (isDead) runtime = await runtimes.take();
    await cloud.liveOn();
    expect(await repair(hour)).toBe(0);
    expect(await watermark()).toBe(iso(hour.end));
  }
}

describe('A run that publishes into a folder', PATIENCE, () => {
  test('and is killed before any of its steps on the disk is repaired by the next', async () => {
    const {
      outcome: last,
      hour,
      steps,
    } = await beforeEveryStep(
      (dieAt) => ({ dieAt }),
      (outcome) => outcome === 'killed',
    );
    expect(last).toMatchObject({ summary: { status: 0 } });
    await expectWhole(hour.end, steps + 2);
    // Ten objects, each created, written, brought to the disk, moved, and its folder brought to the disk.
    expect(steps).toBeGreaterThan(45);
  });

  test.each(['ENOSPC', 'EIO'])('and meets %s at any of its steps is repaired by the next', async (code) => {
    const {
      outcome: last,
      hour,
      steps,
    } = await beforeEveryStep(
      (step) => ({ failAt: { step, code } }),
      (outcome) => typeof outcome === 'object' && 'error' in outcome,
    );
    expect(last).toMatchObject({ summary: { status: 0 } });
    await expectWhole(hour.end, steps + 2);
    expect(steps).toBeGreaterThan(30);
  });

  test(`and is killed at ${RANDOM_KILLS} random moments publishes every event once (seed ${SEED})`, async () => {
    const random = seeded(SEED);
    let [kills, hours] = [0, 0];
    let hour = await cloud.nextHour();
    const started = performance.now();
    expect(await invoke(await runtimes.take(), { options: optionsFor(hour) })).toMatchObject({
      summary: { status: 0 },
    });
    const took = performance.now() - started;
    for (hours = 1; kills < RANDOM_KILLS; hours++) {
      hour = await cloud.nextHour();
      for (let ended: Outcome = 'killed'; ended === 'killed';) {
        const runtime = await runtimes.take();
        const running = invoke(runtime, { options: optionsFor(hour) });
        if (kills < RANDOM_KILLS) await Promise.race([delay(random.between(0, took)), running]);
        else await running;
        await runtime.kill();
        ended = await running;
        if (ended === 'killed') kills++;
      }
      expect(await watermark()).toBe(iso(hour.end));
    }
    hour = await cloud.nextHour();
    expect(await repair(hour)).toBe(0);
    await expectWhole(hour.end, hours + 1);
  });

  test(`at once with another one publishes every event once, ${HOURS_AT_ONCE} times`, async () => {
    const pair = [await startRuntime(RUNNER), await startRuntime(RUNNER)];
    const statuses: unknown[] = [];
    let hour: Hour | undefined;
    try {
      for (let n = 0; n < HOURS_AT_ONCE; n++) {
        hour = await cloud.nextHour();
        const options = optionsFor(hour);
        const outcomes = await Promise.all(pair.map((runtime) => invoke(runtime, { options })));
        for (const outcome of outcomes)
          statuses.push((outcome as unknown as { summary: { status: number } }).summary.status);
        // Who is superseded leaves it to the other, which may be about to finish it.
        expect(await watermark()).toBe(iso(hour.end));
      }
    } finally {
      for (const runtime of pair) await runtime.kill();
    }
    expect(statuses.filter((status) => status !== 0 && status !== 4)).toEqual([]);
    const last = await cloud.nextHour();
    expect(await repair(last)).toBe(0);
    await expectWhole(last.end, HOURS_AT_ONCE + 1);
    expect(last.end - (hour?.end ?? 0)).toBe(HOUR);
  });
});
