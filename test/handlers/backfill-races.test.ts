import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BackfillSummary } from '../../lib/backfill/summary.ts';
import type { ScheduleSummary } from '../../lib/summary.ts';
import { iso } from '../../lib/time.ts';
import { type Drop, listKeys, readDrops } from '../support/drops.ts';
import { type Cloud, type Hour, UNMASKED, startCloud } from '../support/invoke/cloud.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { compareWithTruth } from '../support/nova/compare.ts';
import { finishedEvents } from '../support/nova/truth.ts';

/*
 * A schedule leaves nothing behind it to a backfill, and a backfill nothing before it: they meet in the window in which
 * a trace begins. So every round here is an hour in a place of its own, where no schedule has run yet.
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

const backfill = ({ start, end }: Hour, more: object = {}): Promise<BackfillSummary> =>
  cloud.stage.backfill({ start: iso(start), end: iso(end), ...more });
const schedule = ({ event }: Hour): Promise<ScheduleSummary> => cloud.stage.invoke(event);

/** Whether a run says that it has published the window. */
function isPublisher(summary: Summary | undefined, { text }: Hour): boolean {
  const windows = summary === undefined ? [] : 'done' in summary ? summary.done : summary.windows;
  return windows.some(({ window, status }) => window === text && ['published', 'resumed'].includes(status));
}

/** One drop of the hour, which holds what has finished in it, byte for byte as its manifest says. */
async function expectOneDrop({ start, end }: Hour): Promise<Drop> {
  const { client, env } = cloud.stage;
  const drops = await readDrops(client, env['STAR_PREFIX']);
  expect(drops).toHaveLength(1);
  const from = sqlTime(start);
  const truth = (await finishedEvents(cloud.cells, end)).filter((row) => String(row['finish_time']) >= from);
  expect(compareWithTruth(drops, truth)).toEqual({ onlyInDrops: [], onlyInDatabase: [] });
  return drops[0]!;
}

const sqlTime = (time: number): string => iso(time).slice(0, 19).replace('T', ' ');

/** Claims of windows that are not published: what somebody has begun and nobody has ended. */
async function openClaims(): Promise<string[]> {
  const keys = await listKeys(cloud.stage.client);
  const named = (key: string): string => `${key.split('/')[0]} ${key.split('/').at(-1)}`;
  const published = keys.filter((key) => /\/manifests\/.*\.json$/.test(key)).map(named);
  return keys.filter((key) => key.includes('state/claims/') && !published.includes(named(key)));
}

/**
 * For every request to S3 that `outer` makes, an hour in which `inner` comes and goes before that request. Gives who
 * has published each hour, until there is no further request.
 */
async function inEveryGap(
  outer: (hour: Hour) => Promise<Summary>,
  inner: (hour: Hour) => Promise<Summary>,
): Promise<string[]> {
  const publishers: string[] = [];
  for (let n = 1; ; n++) {
    const hour = await nextRound();
    let requests = 0;
    let other: Summary | undefined;
    let isMet = false;
    cloud.onS3Request = async () => {
      if (++requests !== n) return;
      isMet = true;
      other = await inner(hour);
    };
    const own = await outer(hour);
    cloud.onS3Request = undefined;
    await expectOneDrop(hour);
    const said = { outer: isPublisher(own, hour), inner: isPublisher(other, hour) };
    const who = Object.entries(said).filter(([, published]) => published);
    publishers.push(who.map(([name]) => name).join(' and '));
    // Whoever came first, the schedule goes on behind it.
    const next = await cloud.nextHour();
    const after = await cloud.stage.invoke(next.event);
    expect([after.status, after.windows.at(-1)?.window]).toEqual(['published', next.text]);
    if (!isMet) return publishers;
  }
}

test('a schedule that comes while a backfill of its first window stands before any request leaves one drop of it', async () => {
  const publishers = await inEveryGap(backfill, schedule);
  expect(publishers.filter((who) => !['outer', 'inner'].includes(who))).toEqual([]);
  expect(new Set(publishers)).toEqual(new Set(['outer', 'inner']));
  expect(await openClaims()).toEqual([]);
});

test('a backfill that comes while a schedule stands before any request of its first window leaves one drop of it', async () => {
  const publishers = await inEveryGap(schedule, backfill);
  expect(publishers.filter((who) => !['outer', 'inner'].includes(who))).toEqual([]);
  expect(new Set(publishers)).toEqual(new Set(['outer', 'inner']));
  expect(await openClaims()).toEqual([]);
});

test.each([false, true])(
  'of two backfills of one window, in whatever order they go, one drop is left (replace: %s)',
  async (replace) => {
    const ask = async (hour: Hour): Promise<Summary> => backfill(hour, { replace });
    const publishers = await inEveryGap(async (hour) => {
      if (replace) {
        const { onS3Request } = cloud;
        cloud.onS3Request = undefined;
        await backfill(hour);
        cloud.onS3Request = onS3Request;
      }
      return ask(hour);
    }, ask);
    // What one has decided the other may write, and what one has made the other may make anew.
    expect(publishers.filter((who) => who === '')).toEqual([]);
    expect(await openClaims()).toEqual([]);
  },
);

test.each([false, true])(
  'a backfill that dies before any of its requests is completed by asking again (replace: %s)',
  async (replace) => {
    for (let n = 1, isOver = false; !isOver; n++) {
      const hour = await nextRound();
      if (replace) await backfill(hour);
      let requests = 0;
      // Refused for good, which the client does not try again: from then on nothing of this run arrives.
      cloud.onS3Request = () => (++requests >= n ? { status: 403, code: 'AccessDenied' } : undefined);
      const died = await backfill(hour, { replace, formats: ['jsonl'] }).catch((error: Error) => error);
      cloud.onS3Request = undefined;
      isOver = !(died instanceof Error);
      const again = await backfill(hour, { replace, formats: ['jsonl'] });
      expect(again.status).toBe('published');
      const { manifest } = await expectOneDrop(hour);
      const keys = await listKeys(cloud.stage.client, cloud.stage.env['STAR_PREFIX']);
      expect(keys.filter((key) => key.includes('/instance_events'))).toEqual(
        manifest.files.map(({ key }) => key),
      );
    }
    expect(await openClaims()).toEqual([]);
  },
);
