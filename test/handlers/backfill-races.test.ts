import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { BackfillSummary } from '../../lib/backfill/summary.ts';
import type { ScheduleSummary } from '../../lib/summary.ts';
import { iso } from '../../lib/time.ts';
import { listKeys } from '../support/drops.ts';
import {
  type Cloud,
  type Hour,
  UNMASKED,
  expectExactlyOnce,
  expectUnmixed,
  startCloud,
  watermark,
} from '../support/invoke/cloud.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_125);

let db: MariaDb;
let cloud: Cloud;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
/** A cloud whose trace has begun, or a schedule would begin behind the backfill. */
async function begin(options: Partial<Parameters<typeof startCloud>[1]> = {}): Promise<void> {
  cloud = await startCloud(db, { seed: SEED, days: 4, ...options });
  await cloud.stage.invoke((await cloud.nextHour()).event);
}

/** One more hour by the schedule alone, which also brings what was late for hours that a backfill has published. */
async function endWithSchedule(): Promise<number> {
  const hour = await cloud.nextHour();
  await cloud.stage.invoke(hour.event);
  return hour.end;
}
afterEach(() => cloud.stop());

const ask = ({ start, end }: Hour): { start: string; end: string } => ({ start: iso(start), end: iso(end) });

/** Whether a run says that it has published the window. */
function isPublisher(summary: ScheduleSummary | BackfillSummary | undefined, { text }: Hour): boolean {
  const windows = summary === undefined ? [] : 'done' in summary ? summary.done : summary.windows;
  return windows.some(({ window, status }) => window === text && ['published', 'resumed'].includes(status));
}

/** Claims of windows that are not published: what somebody has begun and nobody has ended. */
async function openClaims(): Promise<string[]> {
  const keys = await listKeys(cloud.stage.client);
  const published = keys.filter((key) => key.includes('/manifests/')).map((key) => key.split('/').at(-1));
  return keys.filter((key) => key.includes('state/claims/') && !published.includes(key.split('/').at(-1)));
}

/**
 * For every request to S3 that `outer` makes, an hour in which `inner` comes and goes before that request. Gives who
 * has published each hour, until there is no further request.
 */
async function inEveryGap(
  outer: (hour: Hour) => Promise<ScheduleSummary | BackfillSummary>,
  inner: (hour: Hour) => Promise<ScheduleSummary | BackfillSummary>,
): Promise<string[]> {
  const publishers: string[] = [];
  for (let n = 1; ; n++) {
    const hour = await cloud.nextHour();
    let requests = 0;
    let other: ScheduleSummary | BackfillSummary | undefined;
    let isMet = false;
    cloud.onS3Request = async () => {
      if (++requests !== n) return;
      isMet = true;
      other = await inner(hour);
    };
    const own = await outer(hour);
    cloud.onS3Request = undefined;
    // Whoever came first, the schedule goes on from here.
    const after = await cloud.stage.invoke(hour.event);
    const said = {
      outer: isPublisher(own, hour),
      inner: isPublisher(other, hour),
      after: isPublisher(after, hour),
    };
    publishers.push(
      Object.entries(said)
        .filter(([, published]) => published)
        .map(([who]) => who)
        .join(' and '),
    );
    expect(await watermark(cloud)).toBe(iso(hour.end));
    if (!isMet) return publishers;
  }
}

test('a schedule that comes while a backfill of its window stands before any request leaves one drop of it', async () => {
  await begin({ env: UNMASKED });
  const publishers = await inEveryGap(
    (hour) => cloud.stage.backfill(ask(hour)),
    (hour) => cloud.stage.invoke(hour.event),
  );
  await expectExactlyOnce(cloud, await endWithSchedule());
  expect(publishers.filter((who) => !['outer', 'inner'].includes(who))).toEqual([]);
  expect(new Set(publishers)).toEqual(new Set(['outer', 'inner']));
  expect(await openClaims()).toEqual([]);
});

test('a backfill that comes while the schedule of its window stands before any request leaves one drop of it', async () => {
  await begin();
  const publishers = await inEveryGap(
    (hour) => cloud.stage.invoke(hour.event),
    (hour) => cloud.stage.backfill(ask(hour)),
  );
  await expectUnmixed(cloud, await endWithSchedule());
  expect(publishers.filter((who) => !['outer', 'inner'].includes(who))).toEqual([]);
  expect(new Set(publishers)).toEqual(new Set(['outer', 'inner']));
});

test('of two backfills of one window, in whatever order they go, one drop is left', async () => {
  await begin();
  const publishers = await inEveryGap(
    (hour) => cloud.stage.backfill(ask(hour)),
    (hour) => cloud.stage.backfill(ask(hour)),
  );
  await expectUnmixed(cloud, await endWithSchedule());
  // What one has decided the other may write, and then both say so.
  expect(publishers.filter((who) => !['outer', 'inner', 'outer and inner'].includes(who))).toEqual([]);
  expect(await openClaims()).toEqual([]);
});

test.each([false, true])(
  'a backfill that dies before any of its requests is completed by asking again (replace: %s)',
  async (replace) => {
    // Without late events, of which a window that is made anew could not be parted.
    await begin({ env: UNMASKED, mix: replace ? { veryLateFinish: 0, lateFinish: 0, lateInsert: 0 } : {} });
    for (let n = 1, isOver = false; !isOver; n++) {
      const hour = await cloud.nextHour();
      if (replace) await cloud.stage.invoke(hour.event);
      let requests = 0;
      // Refused for good, which the client does not try again: from then on nothing of this run arrives.
      cloud.onS3Request = () => (++requests >= n ? { status: 403, code: 'AccessDenied' } : undefined);
      const died = await cloud.stage.backfill({ ...ask(hour), replace }).catch((error: Error) => error);
      cloud.onS3Request = undefined;
      isOver = !(died instanceof Error);
      const again = await cloud.stage.backfill({ ...ask(hour), replace });
      expect(again.status).toBe('published');
      if (!replace) await cloud.stage.invoke(hour.event);
      expect(await watermark(cloud)).toBe(iso(hour.end));
    }
    await expectExactlyOnce(cloud, await endWithSchedule());
    expect(await openClaims()).toEqual([]);
  },
);
