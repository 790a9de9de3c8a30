import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ScheduleSummary } from '../../lib/schedule/summary.ts';
import { iso } from '../../lib/core/time.ts';
import { listKeys, readDrops } from '../support/drops.ts';
import {
  type Cloud,
  type Hour,
  UNMASKED,
  expectExactlyOnce,
  startCloud,
  watermark,
} from '../support/invoke/cloud.ts';
import { addWideEvents } from '../support/invoke/wide-events.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { BUCKET } from '../support/stage.ts';
import { until } from '../support/until.ts';

const LIFETIME_MS = 900_000;

let db: MariaDb;
let cloud: Cloud;
/** Ends the time of the invocation that runs, as its deadline's own timer would. */
let endTime: () => void;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  cloud = await startCloud(db, { seed: 7, days: 2, env: UNMASKED });
  const setTimer = globalThis.setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation((run, ms, ...rest) => {
    // No other timer is as long.
    if (ms !== undefined && ms > LIFETIME_MS / 2 && ms < LIFETIME_MS) endTime = run;
    return setTimer(run, ms, ...rest);
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cloud.stop();
});

async function attempt({ event }: Hour): Promise<{ summary?: ScheduleSummary; error?: Error }> {
  try {
    return { summary: await cloud.stage.invoke(event, LIFETIME_MS) };
  } catch (error) {
    return { error: error as Error };
  } finally {
    cloud.onS3Request = undefined;
  }
}

async function unfinishedUploads(): Promise<unknown[]> {
  const { Uploads = [] } = await cloud.stage.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  return Uploads;
}

/** Everything but the state that belongs to nobody who reads traces. */
async function visible(): Promise<string[]> {
  return (await listKeys(cloud.stage.client)).filter((key) => !key.includes('/state/'));
}

async function isAnnounced({ start, end }: Hour): Promise<boolean> {
  const window = { start: iso(start), end: iso(end) };
  const drops = await readDrops(cloud.stage.client);
  return drops.some(
    ({ manifest }) => manifest.window.start === window.start && manifest.window.end === window.end,
  );
}

test('a run whose time is over at any of its requests to S3 publishes its window whole or not at all, and says which', async () => {
  const first = await cloud.nextHour();
  await cloud.stage.invoke(first.event);
  const wrong: string[] = [];
  let end = first.end;
  let n = 1;
  for (let isOver = false; !isOver; n++) {
    const hour = await cloud.nextHour();
    end = hour.end;
    let requests = 0;
    let at = '';
    cloud.onS3Request = ({ operation, key }) => {
      if (++requests !== n) return;
      at = `${n}: ${operation} ${key}`;
      endTime();
    };
    const { summary, error } = await attempt(hour);
    isOver = at === '';
    const announced = await isAnnounced(hour);
    if (error === undefined) {
      if (!announced) wrong.push(`${at}: answered ${summary?.status} without a manifest`);
    } else if (error.name !== 'DeadlineError') wrong.push(`${at}: ${error.name}: ${error.message}`);
    else if (announced && /nothing/.test(error.message))
      wrong.push(`${at}: published, but: ${error.message}`);
    expect(await unfinishedUploads()).toEqual([]);

    await cloud.stage.invoke(hour.event);
    expect(await watermark(cloud)).toBe(iso(end));
  }
  expect(n).toBeGreaterThan(10);
  await expectExactlyOnce(cloud, end);
  expect(wrong).toEqual([]);
});

describe('with a window that needs several parts', () => {
  let hour: Hour;

  beforeEach(async () => {
    hour = await cloud.nextHour();
    await addWideEvents(cloud.cells[0]!, hour.start);
  });

  test.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'])(
    'a run whose time is over at %s leaves no object to be seen and no unfinished upload',
    async (atOperation) => {
      cloud.onS3Request = ({ operation, key }) => {
        // Not the probe of the store, which comes before the trace begins.
        if (operation === atOperation && !key.includes('/state/')) endTime();
      };
      const { error } = await attempt(hour);
      expect(error).toMatchObject({ name: 'DeadlineError', message: expect.stringContaining(hour.text) });
      expect(await visible()).toEqual([]);
      expect(await unfinishedUploads()).toEqual([]);
      expect(await watermark(cloud)).toBe(undefined);
      expect(await attempt(hour)).toMatchObject({ summary: { status: 'published' } });
      await expectExactlyOnce(cloud, hour.end);
    },
  );

  test('a run ends in time, and aborts its uploads, when S3 does not answer an upload of a part', async () => {
    cloud.onS3Request = async ({ operation }) => {
      if (operation !== 'UploadPart') return;
      endTime();
      await new Promise(() => undefined);
    };
    const { error } = await attempt(hour);
    expect(error).toMatchObject({ name: 'DeadlineError' });
    expect(await visible()).toEqual([]);
    expect(await unfinishedUploads()).toEqual([]);
  });
});

test.each([
  ['trace.json', /state\/trace/],
  ['the claim', /state\/claim/],
  ['a data object', /\/instance_events/],
  ['the manifest', /manifests\//],
  ['the checkpoint', /checkpoint/],
])('a run ends in time when S3 does not answer the writing of %s; the next completes it', async (_, key) => {
  const hour = await cloud.nextHour();
  cloud.onS3Request = async (request) => {
    if (request.operation !== 'PutObject' || !key.test(request.key)) return;
    endTime();
    await new Promise(() => undefined);
  };
  const { error } = await attempt(hour);
  expect(error?.name).toBe('DeadlineError');
  expect(await watermark(cloud)).toBe(undefined);

  const { summary } = await attempt(hour);
  expect(summary).toMatchObject({ status: 'published', watermark: iso(hour.end) });
  await expectExactlyOnce(cloud, hour.end);
});

test.each([
  ['where the trace begins', 'GetObject', /trace\.json/],
  ['what is published', 'ListObjectsV2', /^/],
  ['for a claim', 'PutObject', /claims\//],
])(
  'a backfill whose time is over while it asks %s says so, and is completed by asking again',
  async (_, operation, key) => {
    const { start, end } = await cloud.nextHour();
    const next = await cloud.nextHour();
    await cloud.stage.invoke(next.event);
    cloud.onS3Request = async (request) => {
      if (request.operation !== operation || !key.test(request.key)) return;
      endTime();
      await new Promise(() => undefined);
    };
    const range = { start: iso(start), end: iso(end) };
    const error = await cloud.stage.backfill(range, LIFETIME_MS).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ name: 'DeadlineError' });
    cloud.onS3Request = undefined;
    expect(await cloud.stage.backfill(range)).toMatchObject({ status: 'published', left: [] });
    await expectExactlyOnce(cloud, next.end);
  },
);

test('a run that waits for the database until its time is over publishes nothing and says how to help', async () => {
  const hour = await cloud.nextHour();
  const connection = await cloud.cells[0]!.pool.getConnection();
  await connection.query('LOCK TABLES instance_actions_events WRITE');
  try {
    const waits = "SELECT 1 FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'";
    const failed = attempt(hour);
    await until(async () => (await db.query(waits)).length > 0);
    endTime();
    expect((await failed).error).toMatchObject({
      name: 'DeadlineError',
      message: expect.stringMatching(/before window .* was published; .*more time/),
    });
  } finally {
    await connection.query('UNLOCK TABLES');
    connection.release();
  }
  expect(await visible()).toEqual([]);
  expect(await attempt(hour)).toMatchObject({ summary: { status: 'published' } });
  await expectExactlyOnce(cloud, hour.end);
});

describe('with five windows missed', () => {
  let missed: Hour[];
  let last: Hour;

  beforeEach(async () => {
    await cloud.stage.invoke((await cloud.nextHour()).event);
    missed = [];
    for (let n = 0; n < 5; n++) missed.push(await cloud.nextHour());
    last = missed.at(-1)!;
  });

  const windowsOf = (summary: ScheduleSummary | undefined): string[] =>
    (summary?.windows ?? []).map(({ window, status }) => {
      expect(['published', 'resumed']).toContain(status);
      return window;
    });

  async function expectCompleted(summary: ScheduleSummary | undefined, published: number): Promise<void> {
    const due = missed.map(({ text }) => text);
    expect(windowsOf(summary)).toEqual(due.slice(0, published));
    expect(summary?.left).toEqual(due.slice(published));
    expect(summary?.message).toContain(`${due.length - published} left`);
    expect(summary?.watermark).toBe(iso(missed[published - 1]?.end ?? 0));

    let next = await attempt(last);
    // A request that was given up may arrive all the same, behind the next run's first look at the claim.
    if (next.summary?.status === 'superseded') next = await attempt(last);
    expect(next.summary).toMatchObject({ status: 'published', left: [], watermark: iso(last.end) });
    expect(windowsOf(next.summary)).toEqual(due.slice(published));
    const drops = await expectExactlyOnce(cloud, last.end);
    expect(drops).toHaveLength(6);
  }

  test('a run whose time is over in the third publishes two and names the rest; the next completes them', async () => {
    let claimed = 0;
    cloud.onS3Request = ({ operation, key }) => {
      // A claim is written twice a window: taken, then decided.
      if (operation === 'PutObject' && key.endsWith('/claim.json') && ++claimed === 5) endTime();
    };
    const { summary } = await attempt(last);
    expect(summary?.status).toBe('unfinished');
    await expectCompleted(summary, 2);
  });

  test('a run whose time is over between two windows names the rest; the next completes them', async () => {
    let moved = 0;
    cloud.onS3Request = ({ operation, key }) => {
      if (moved === 2 && operation === 'GetObject') endTime();
      if (operation === 'PutObject' && key.endsWith('/checkpoint.json')) moved++;
    };
    const { summary } = await attempt(last);
    expect(summary?.status).toBe('unfinished');
    await expectCompleted(summary, 2);
  });

  test('a run does not begin a window that would probably not fit, and leaves it and the rest to the next', async () => {
    const clock = performance.now.bind(performance);
    let skipped = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => clock() + skipped);
    cloud.onS3Request = ({ operation, key }) => {
      // The first window seems to take two thirds of the time there is.
      if (operation === 'PutObject' && key.includes('/manifests/')) skipped = (LIFETIME_MS * 2) / 3;
    };
    const { summary } = await attempt(last);
    const touched = cloud.stage.s3
      .requests()
      .filter(({ method, key }) => method === 'PUT' && key.endsWith('/claim.json'));
    // Taken and decided: of the window before the five, and of the first of them.
    expect(touched).toHaveLength(4);
    expect(summary?.status).toBe('unfinished');
    await expectCompleted(summary, 1);
  });
});
