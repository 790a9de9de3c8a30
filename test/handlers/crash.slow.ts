import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { iso } from '../../lib/core/time.ts';
import { listKeys } from '../support/drops.ts';
import {
  type Cloud,
  type Hour,
  UNMASKED,
  undecided,
  expectExactlyOnce,
  expectUnmixed,
  startCloud,
  watermark,
} from '../support/invoke/cloud.ts';
import { type Outcome, type Runtime, type RuntimePool, startRuntimes } from '../support/invoke/runtime.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { addWideEvents } from '../support/invoke/wide-events.ts';
import { seeded } from '../support/nova/prng.ts';
import { BUCKET } from '../support/stage.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1e6);
const RANDOM_KILLS = 50;

let db: MariaDb;
let runtimes: RuntimePool;
let cloud: Cloud;

beforeAll(async () => {
  runtimes = startRuntimes();
  db = await startMariaDb();
});
afterAll(async () => {
  await runtimes.stop();
  await db.stop();
});
beforeEach(async () => {
  cloud = await startCloud(db, { seed: SEED, days: 4 });
});
afterEach(() => cloud.stop());

/** Runs the handler in a process that dies when its request number `n` reaches S3, which never looks at it. */
async function killedAtRequest(n: number, { event }: Hour): Promise<{ outcome: Outcome; died: string }> {
  const runtime = await runtimes.take();
  let requests = 0;
  let died = '';
  cloud.onS3Request = async ({ operation, key }) => {
    if (++requests < n) return;
    died ||= `before ${operation} ${key}`;
    await runtime.kill();
    // Held until the server notices that nobody waits for an answer.
    await new Promise(() => undefined);
  };
  const outcome = await runtime.invoke(event, cloud.stage.env);
  cloud.onS3Request = undefined;
  if (outcome !== 'killed') await runtime.kill();
  return { outcome, died };
}

interface Repaired {
  /** Of the last run, which had fewer requests than there were to be, and so lived. */
  outcome: Outcome;
  /** Where the killed runs died. */
  deaths: string[];
  /** Deaths after which the next run left a decision unfinished. */
  leftovers: string[];
  end: number;
}

/** Kills a run before each of its requests to S3, one an hour, and has it followed by one that nobody kills. */
async function killBeforeEveryRequest(): Promise<Repaired> {
  const { stage } = cloud;
  const first = await cloud.nextHour();
  expect(await stage.invoke(first.event)).toMatchObject({ status: 'published' });
  const deaths: string[] = [];
  const leftovers: string[] = [];
  for (let n = 1; ; n++) {
    const hour = await cloud.nextHour();
    const { outcome, died } = await killedAtRequest(n, hour);
    if (outcome !== 'killed') return { outcome, deaths, leftovers, end: hour.end };
    deaths.push(died);
    await cloud.liveOn();
    const { status } = await stage.invoke(hour.event);
    expect(['published', 'upToDate']).toContain(status);
    expect(await watermark(cloud)).toBe(iso(hour.end));
    if ((await undecided(cloud)).length > 0) leftovers.push(died);
  }
}

test('a run killed before any of its requests to S3 is repaired by the next: every event once, nothing left undone', async () => {
  Object.assign(cloud.stage.env, UNMASKED);
  const { outcome, deaths, leftovers, end } = await killBeforeEveryRequest();
  expect(outcome).toMatchObject({ summary: { status: 'published' } });
  const writes = deaths
    .filter((died) => died.includes('PutObject'))
    .map((died) => died.split('/').slice(0, -1));
  expect(writes).toHaveLength(10);
  expect(deaths.length).toBeGreaterThan(12);
  await expectExactlyOnce(cloud, end);
  expect(leftovers).toEqual([]);
});

test('files of two runs are never mixed: both formats of a drop bear the masks of one secret', async () => {
  const { end } = await killBeforeEveryRequest();
  expect((await expectUnmixed(cloud, end)).length).toBeGreaterThan(12);
});

test(`killed ${RANDOM_KILLS} times at random moments, and while repairing, runs publish every event once (seed ${SEED})`, async () => {
  Object.assign(cloud.stage.env, UNMASKED);
  const random = seeded(SEED);
  const run = async (hour: Hour, runtime: Runtime): Promise<{ outcome: Outcome; took: number }> => {
    const started = performance.now();
    const outcome = await runtime.invoke(hour.event, cloud.stage.env);
    return { outcome, took: performance.now() - started };
  };
  // What a run takes in a process that has not run before, so that the kills spread over all of it.
  const first = await cloud.nextHour();
  const { outcome, took } = await run(first, await runtimes.take());
  expect(outcome).toMatchObject({ summary: { status: 'published' } });

  let kills = 0;
  while (kills < RANDOM_KILLS) {
    const hour = await cloud.nextHour();
    let ended: Outcome = 'killed';
    while (ended === 'killed') {
      const runtime = await runtimes.take();
      const running = run(hour, runtime);
      if (kills < RANDOM_KILLS) await Promise.race([delay(random.between(0, took)), running]);
      else await running;
      await runtime.kill();
      ended = (await running).outcome;
      if (ended !== 'killed') continue;
      kills++;
      await cloud.liveOn();
    }
    expect(ended).toMatchObject({ summary: { watermark: iso(hour.end) } });
    expect(await watermark(cloud)).toBe(iso(hour.end));
  }
  expect(kills).toBe(RANDOM_KILLS);
  // What was shown after a killed run had decided on the last window is for the next.
  const last = await cloud.nextHour();
  expect(await cloud.stage.invoke(last.event)).toMatchObject({ status: 'published' });
  await expectExactlyOnce(cloud, last.end);
});

test('a run killed while parts are uploaded, or put together, leaves no object to be seen; the next publishes', async () => {
  Object.assign(cloud.stage.env, UNMASKED);
  const { stage } = cloud;
  const hour = await cloud.nextHour();
  await addWideEvents(cloud.cells[0]!, hour.start);
  for (const killedAt of ['UploadPart', 'CompleteMultipartUpload']) {
    const runtime = await runtimes.take();
    cloud.onS3Request = async ({ operation }) => {
      if (operation !== killedAt) return;
      await runtime.kill();
      await new Promise(() => undefined);
    };
    expect(await runtime.invoke(hour.event, stage.env)).toBe('killed');
    cloud.onS3Request = undefined;
    expect((await listKeys(stage.client)).filter((key) => !key.includes('/state/'))).toEqual([]);
  }
  expect(await stage.invoke(hour.event)).toMatchObject({ status: 'published' });
  await expectExactlyOnce(cloud, hour.end);
  // Nobody is left to abort what the dead runs had begun: the bucket's lifecycle rule does.
  const { Uploads = [] } = await stage.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  expect(Uploads.length).toBeGreaterThan(0);
});
