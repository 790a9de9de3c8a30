import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { keysOf } from '../../lib/drop/finish.ts';
import type { BackfillSummary } from '../../lib/backfill/summary.ts';
import type { ScheduleSummary } from '../../lib/schedule/summary.ts';
import { iso } from '../../lib/core/time.ts';
import { type Drop, listKeys, readDrops, readObject } from '../support/drops.ts';
import { type Cloud, type Hour, UNMASKED, startCloud } from '../support/invoke/cloud.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { compareWithTruth } from '../support/nova/compare.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { finishedEvents } from '../support/nova/truth.ts';

/*
 * Runs that meet where nobody has begun a trace, or at one window, or next to each other. Every round is in a place of
 * its own: in round n another run comes and goes before the n-th request to S3, until there is no further request.
 */

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_125);

let db: MariaDb;
let cloud: Cloud;
let rounds = 0;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  cloud = await startCloud(db, { seed: SEED, days: 4, env: UNMASKED });
});
afterEach(() => cloud.stop());

async function nextRound(): Promise<Hour> {
  cloud.stage.env['STAR_PREFIX'] = `round-${++rounds}`;
  return cloud.nextHour();
}

type Summary = ScheduleSummary | BackfillSummary;

const backfill = ({ start, end }: Hour): Promise<BackfillSummary> =>
  cloud.stage.backfill({ start: iso(start), end: iso(end) });
const schedule = ({ event }: Hour): Promise<ScheduleSummary> => cloud.stage.invoke(event);

/** What a run says that it did; or the name of the error that it was refused with. */
async function answerOf(run: Promise<Summary>, { text }: Hour): Promise<string> {
  const summary = await run.catch((error: Error) => error);
  if (summary instanceof Error) return summary.name;
  const windows = 'done' in summary ? summary.done : summary.windows;
  if ('done' in summary && summary.alreadyPublished > 0) return 'alreadyPublished';
  return windows.find(({ window }) => window === text)?.status ?? summary.status;
}

/** One drop of the hour in this round's place, which holds what has finished in it, byte for byte as it says. */
async function expectDropOf({ start, end }: Hour): Promise<Drop> {
  const { client, env } = cloud.stage;
  const drops = (await readDrops(client, env['STAR_PREFIX'])).filter(
    ({ manifest }) => manifest.window.start === iso(start),
  );
  expect(drops).toHaveLength(1);
  const truth = (await finishedEvents(cloud.cells, end)).filter(
    (row) => String(row['finish_time']) >= sqlTime(start),
  );
  expect(compareWithTruth(drops, truth)).toEqual({ onlyInDrops: [], onlyInDatabase: [] });
  return drops[0]!;
}

/** Every data file and report of this round is in a manifest, and every claim of a window is decided. */
async function expectNothingLeftOver(): Promise<void> {
  const { client, env } = cloud.stage;
  const keys = await listKeys(client, env['STAR_PREFIX']);
  const drops = await readDrops(client, env['STAR_PREFIX'], { rows: false });
  const listed = drops.flatMap(({ manifest }) => keysOf(manifest));
  expect(keys.filter((key) => /\/instance_events|\.report\.html$|\.datapackage\.json$/.test(key))).toEqual(
    listed.toSorted(),
  );
  for (const key of keys.filter((each) => each.includes('state/claims/'))) {
    const { decided } = JSON.parse((await readObject(client, key)).toString('utf8')) as { decided: unknown };
    expect([key, decided === null]).toEqual([key, false]);
  }
}

interface Round {
  readonly hour: Hour;
  /** What the run that was interrupted answered, and the one that came in between. */
  readonly outer: string;
  readonly inner: string;
}

/**
 * @param outer whose n-th request is held in round n
 * @param inner comes and goes meanwhile
 * @param check holds the place against both answers
 */
async function inEveryGap(
  prepare: (hour: Hour) => Promise<Hour>,
  outer: (hour: Hour) => Promise<Summary>,
  inner: (hour: Hour) => Promise<Summary>,
  check: (round: Round) => Promise<void>,
): Promise<string[]> {
  const answers: string[] = [];
  for (let n = 1; ; n++) {
    const first = await nextRound();
    const hour = await prepare(first);
    let requests = 0;
    let other: string | undefined;
    cloud.onS3Request = async () => {
      if (++requests !== n) return;
      other = await answerOf(inner(hour), hour);
    };
    const own = await answerOf(outer(hour), hour);
    cloud.onS3Request = undefined;
    if (other === undefined) return answers;
    answers.push(`${own}, ${other}`);
    await check({ hour, outer: own, inner: other });
    await expectNothingLeftOver();
  }
}

const asItIs = async (hour: Hour): Promise<Hour> => hour;

test.each<[string, (hour: Hour) => Promise<Summary>, (hour: Hour) => Promise<Summary>]>([
  ['a backfill, in any gap of which a schedule comes,', backfill, schedule],
  ['a schedule, in any gap of which a backfill comes,', schedule, backfill],
])(
  '%s where nobody has begun the trace leaves one drop of the window that both want',
  async (_, outer, inner) => {
    const answers = await inEveryGap(asItIs, outer, inner, async ({ hour, ...said }) => {
      await expectDropOf(hour);
      // The other is refused, or finds it published, where the schedule has begun the trace, and has nothing to do where
      // the backfill has.
      expect([said.outer, said.inner].filter((answer) => answer === 'published')).toHaveLength(1);
      const others = [said.outer, said.inner].filter((answer) => answer !== 'published');
      expect(['InputError', 'alreadyPublished', 'upToDate']).toContain(others[0]);
    });
    expect(answers.length).toBeGreaterThan(10);
    expect(new Set(answers).size).toBeGreaterThan(1);
  },
);

test('of two backfills of one window, in whatever order they go, one drop is left', async () => {
  const answers = await inEveryGap(asItIs, backfill, backfill, async ({ hour, outer, inner }) => {
    await expectDropOf(hour);
    // What one has decided the other may finish. What one has taken over is left for the other.
    expect(['published', 'resumed', 'alreadyPublished', 'unfinished']).toContain(outer);
    expect(['published', 'resumed', 'alreadyPublished']).toContain(inner);
    expect([outer, inner].filter((answer) => answer === 'published').length).toBeGreaterThan(0);
  });
  expect(answers).toContain('unfinished, published');
  expect(answers).toContain('published, resumed');
  expect(answers).toContain('published, alreadyPublished');
});

test('a backfill and a schedule, each on its side of begin, publish both their windows, in whatever order they go', async () => {
  const after = new Map<Hour, Hour>();
  /** An hour before begin, then one that the schedule has published, then the one that it is to publish. */
  const prepare = async (hour: Hour): Promise<Hour> => {
    await schedule(await cloud.nextHour());
    after.set(hour, await cloud.nextHour());
    return hour;
  };
  for (const isOuter of [true, false]) {
    const run = (hour: Hour): Promise<Summary> => schedule(after.get(hour)!);
    const answers = await inEveryGap(
      prepare,
      isOuter ? backfill : run,
      isOuter ? run : backfill,
      async ({ hour }) => {
        await expectDropOf(hour);
        await expectDropOf(after.get(hour)!);
      },
    );
    expect(new Set(answers)).toEqual(new Set(['published, published']));
  }
});

test('a backfill that dies before any of its requests is completed by asking again, in other formats too', async () => {
  const { env } = cloud.stage;
  for (let n = 1, isOver = false; !isOver; n++) {
    const hour = await nextRound();
    Object.assign(env, { STAR_FORMATS: 'csv,jsonl', STAR_REPORT: 'true' });
    let requests = 0;
    // Refused for good, which the client does not try again: from then on nothing of this run arrives.
    cloud.onS3Request = () => (++requests >= n ? { status: 403, code: 'AccessDenied' } : undefined);
    const died = await backfill(hour).catch((error: Error) => error);
    cloud.onS3Request = undefined;
    isOver = !(died instanceof Error) && requests < n;
    Object.assign(env, { STAR_FORMATS: 'jsonl', STAR_REPORT: 'false' });
    expect(await backfill(hour)).toMatchObject({ status: 'published', left: [] });
    await expectDropOf(hour);
    await expectNothingLeftOver();
  }
});
