import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ScheduleSummary } from '../../lib/schedule/summary.ts';
import { iso } from '../../lib/core/time.ts';
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
import { type Outcome, startRuntime } from '../support/invoke/runtime.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { seeded } from '../support/nova/prng.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1e6);
const HOURS = 20;
const HOURS_LIKE_CEPH = 50;

let db: MariaDb;
let cloud: Cloud;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  cloud = await startCloud(db, { seed: SEED, days: 2 });
});
afterEach(() => cloud.stop());

type Race = (hour: Hour) => Promise<[ScheduleSummary, ScheduleSummary]>;

/** Has two runs take each window at once, and counts what the one that did not publish it said. */
async function race(both: Race, check: typeof expectUnmixed, hours = HOURS): Promise<Map<string, number>> {
  const random = seeded(SEED);
  // Shakes up in which order the requests of the two arrive.
  cloud.onS3Request = async () => {
    if (random.chance(0.5)) await delay(random.between(0, 30));
  };
  const said = new Map<string, number>();
  let end = 0;
  for (let n = 0; n < hours; n++) {
    const hour = await cloud.nextHour();
    end = hour.end;
    const answers = (await both(hour)).map((summary) => answerTo(hour, summary));
    const others = answers.filter((answer) => !isNew(answer));
    expect(answers).toHaveLength(others.length + 1);
    for (const other of others) said.set(other, (said.get(other) ?? 0) + 1);
    expect(await watermark(cloud)).toBe(iso(hour.end));
    expect(await undecided(cloud)).toEqual([]);
  }
  cloud.onS3Request = undefined;
  const drops = await check(cloud, end);
  expect(drops).toHaveLength(hours);
  return said;
}

/** What a run did about the window: publish it, or say that another does or did. */
function answerTo(hour: Hour, { status, windows, rows }: ScheduleSummary): string {
  const [own] = windows.filter(({ window }) => window === hour.text);
  expect(windows).toHaveLength(own === undefined ? 0 : 1);
  const answer = own?.status ?? status;
  expect(['published', 'resumed', 'superseded', 'alreadyPublished', 'upToDate']).toContain(answer);
  expect(rows > 0 && !isNew(answer)).toBe(false);
  return answer;
}

const isNew = (answer: string): boolean => ['published', 'resumed'].includes(answer);

/** Has two processes with the handler do it. */
async function raceOfProcesses(hours: number): Promise<Map<string, number>> {
  const { stage } = cloud;
  Object.assign(stage.env, UNMASKED);
  const runtimes = [await startRuntime(), await startRuntime()] as const;
  const summary = (outcome: Outcome): ScheduleSummary => {
    expect(outcome).toHaveProperty('summary');
    return (outcome as { summary: ScheduleSummary }).summary;
  };
  try {
    const [one, other] = runtimes;
    const both: Race = async ({ event }) => {
      const outcomes = await Promise.all([one.invoke(event, stage.env), other.invoke(event, stage.env)]);
      return [summary(outcomes[0]), summary(outcomes[1])];
    };
    return await race(both, expectExactlyOnce, hours);
  } finally {
    for (const runtime of runtimes) await runtime.kill();
  }
}

test(`of two processes that run at once one publishes, the other reports it, ${HOURS} times (seed ${SEED})`, async () => {
  const said = await raceOfProcesses(HOURS);
  expect(said.get('superseded')).toBeGreaterThan(0);
});

test(`of two invocations in one process one publishes, the other reports it, ${HOURS} times (seed ${SEED})`, async () => {
  const { stage } = cloud;
  const said = await race(
    ({ event }) => Promise.all([stage.invoke(event), stage.invoke(event)]),
    expectUnmixed,
  );
  expect(said.get('superseded')).toBeGreaterThan(0);
});

test('of a run and one that comes and goes while it stands before any of its requests to S3 one says that it published the window', async () => {
  const { stage } = cloud;
  const first = await cloud.nextHour();
  await stage.invoke(first.event);
  const reports: string[][] = [];
  let end = first.end;
  for (let n = 1, isOver = false; !isOver; n++) {
    const hour = await cloud.nextHour();
    let requests = 0;
    let other: Promise<ScheduleSummary> | undefined;
    cloud.onS3Request = async () => {
      if (++requests !== n) return;
      other = stage.invoke(hour.event);
      await other;
    };
    const summary = await stage.invoke(hour.event);
    cloud.onS3Request = undefined;
    end = hour.end;
    isOver = other === undefined;
    const summaries = isOver ? [summary] : [summary, await other!];
    reports.push(summaries.map((each) => answerTo(hour, each)));
    expect(await watermark(cloud)).toBe(iso(end));
    expect(await undecided(cloud)).toEqual([]);
  }
  expect(reports.length).toBeGreaterThan(10);
  await expectUnmixed(cloud, end);
  const twice = reports.filter((each) => each.filter(isNew).length !== 1);
  expect(twice).toEqual([]);
});

describe('at a store that answers the loser of a write as Ceph does, and deletes blindly', () => {
  beforeEach(async () => {
    await cloud.stop();
    cloud = await startCloud(db, { seed: SEED, days: 3, ceph: { seed: SEED, deletesBlindly: true } });
  });

  test(`of two processes that run at once one publishes, the other reports it, ${HOURS_LIKE_CEPH} times (seed ${SEED})`, async () => {
    const said = await raceOfProcesses(HOURS_LIKE_CEPH);
    expect(said.get('superseded')).toBeGreaterThan(0);
    const conflicts = cloud.stage.s3.requests().filter(({ status }) => status === 409);
    expect(conflicts.length).toBeGreaterThan(0);
  });
});
