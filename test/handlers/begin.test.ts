import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { latestEdge } from '../../lib/backfill/request.ts';
import type { BackfillSummary } from '../../lib/backfill/summary.ts';
import { ClockError } from '../../lib/core/errors.ts';
import { DAY, HOUR, MINUTE, type Seconds, iso } from '../../lib/core/time.ts';
import { eventsOf, listKeys, readObject } from '../support/drops.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import { BUCKET } from '../support/stage.ts';

const TRACE = 'cloud=test/state/trace.json';
const DENIED = { status: 403, code: 'AccessDenied' } as const;

let db: MariaDb;
let scene: Scene;
let server: string;
/** What S3 does before it looks at a write of that key. */
let onWrite: ((key: string) => typeof DENIED | undefined | Promise<undefined>) | undefined;
const deny =
  (pattern: RegExp) =>
  (key: string): typeof DENIED | undefined =>
    pattern.test(key) ? DENIED : undefined;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  onWrite = undefined;
  scene = await startScene(db, ['cell1'], {
    onS3Request: ({ operation, key }) => (operation === 'PutObject' ? onWrite?.(key) : undefined),
  });
  server = await scene.server('cell1');
});
afterEach(async () => {
  vi.useRealTimers();
  await scene.stop();
});

/** An event of a minute, called by the day and hour of its start. */
const event = async (start: string): Promise<void> => {
  const times = { start: at(start), finish: at(start) + MINUTE };
  await scene.event('cell1', server, `compute_${start.replace(/\W/g, '')}`, times);
};
const backfill = (start: string, end: string, more = {}): Promise<BackfillSummary> =>
  scene.stage.backfill({ start: `2025-06-${start}`, end: `2025-06-${end}`, ...more });

interface Trace {
  kind: string;
  begin: string;
  windowMinutes: number;
}
const trace = async (): Promise<Trace> =>
  JSON.parse((await readObject(scene.stage.client, TRACE)).toString('utf8')) as Trace;
/** Names of the events of each drop, by the day of June. */
const days = async (): Promise<Record<string, string[]>> =>
  Object.fromEntries(
    Object.entries(await scene.published()).map(([start, names]) => [start.slice(8, 10), names]),
  );

describe('A trace that the schedule begins', () => {
  beforeEach(async () => {
    for (const day of ['01', '02', '03', '04', '05', '06']) await event(`${day} 10:00`);
  });

  test('begins with the window of its first run, and backfill goes up to there and no further', async () => {
    const summary = await scene.run(at('05 00:45'));
    expect(summary).toMatchObject({ begin: '2025-06-04T00:00:00Z', status: 'published' });
    expect(await trace()).toMatchObject({
      kind: 'scheduled',
      begin: '2025-06-04T00:00:00Z',
      windowMinutes: 1440,
    });
    await expect(backfill('02', '05')).rejects.toMatchObject({
      name: 'InputError',
      message:
        'event: end: got "2025-06-05", but the trace begins at 2025-06-04T00:00:00Z, and the schedule publishes what ' +
        'follows; accepted: up to 2025-06-04T00:00:00Z, or "cut": true',
    });
    await expect(backfill('04', '05', { cut: true })).rejects.toThrow(
      /^event: start: got "2025-06-04", but the trace begins .*; accepted: before 2025-06-04T00:00:00Z$/,
    );
    expect(Object.keys(await days())).toEqual(['04']);

    const cut = await backfill('02', '06', { cut: true });
    expect([cut.range, cut.done.length]).toEqual(['2025-06-02T00:00:00Z/2025-06-04T00:00:00Z', 2]);
    await scene.run(at('07 00:45'));
    expect(await days()).toEqual({
      '02': ['compute_021000'],
      '03': ['compute_031000'],
      '04': ['compute_041000'],
      '05': ['compute_051000'],
      '06': ['compute_061000'],
    });
  });

  test('stays where it began, whatever is published before it, and its schedule goes on untouched', async () => {
    await scene.run(at('05 00:45'));
    const [before, checkpoint] = [await trace(), await scene.memory('cell1')];
    await backfill('01', '04');
    expect(await trace()).toEqual(before);
    expect(await scene.memory('cell1')).toEqual(checkpoint);
    expect(await scene.run(at('05 00:45'))).toMatchObject({
      status: 'upToDate',
      begin: '2025-06-04T00:00:00Z',
      watermark: '2025-06-05T00:00:00Z',
    });
  });

  test('begins there though its first run failed, and the next goes on from it', async () => {
    onWrite = deny(/instance_events/);
    await expect(scene.run(at('04 00:45'))).rejects.toThrow(/could not (upload|write)/);
    onWrite = undefined;
    expect(await trace()).toMatchObject({ begin: '2025-06-03T00:00:00Z' });
    const { windows } = await scene.run(at('06 00:45'));
    expect(windows).toHaveLength(3);
    expect(Object.keys(await days())).toEqual(['03', '04', '05']);
  });

  test('says that a backfill publishes what lies before, where an earlier time is given after a failed first run', async () => {
    onWrite = deny(/instance_events/);
    await expect(scene.run(at('04 00:45'))).rejects.toThrow(/could not (upload|write)/);
    onWrite = undefined;
    expect(await scene.run(at('02 00:45'))).toMatchObject({
      status: 'upToDate',
      begin: '2025-06-03T00:00:00Z',
      message:
        'nothing is due: the trace begins at 2025-06-03T00:00:00Z for good, and a backfill publishes what lies before, ' +
        'and the next window is not settled at 2025-06-02T00:45:00Z',
    });
    await backfill('01', '03');
    await scene.run(at('04 00:45'));
    expect(Object.keys(await days())).toEqual(['01', '02', '03']);
  });

  test('has no hole where the two runs after a failed first one did not come at all', async () => {
    onWrite = deny(/claim\.json/);
    await expect(scene.run(at('03 00:45'))).rejects.toThrow(/could not write/);
    onWrite = undefined;
    await backfill('01', '02');
    expect((await scene.run(at('06 00:45'))).begin).toBe('2025-06-02T00:00:00Z');
    expect(await days()).toEqual(
      Object.fromEntries(['01', '02', '03', '04', '05'].map((day) => [day, [`compute_${day}1000`]])),
    );
  });

  test('is not begun at all where trace.json cannot be written', async () => {
    onWrite = deny(/trace\.json/);
    await expect(scene.run(at('03 00:45'))).rejects.toThrow(/could not write/);
    expect(await listKeys(scene.stage.client)).toEqual([]);
    onWrite = undefined;
    expect((await scene.run(at('05 00:45'))).begin).toBe('2025-06-04T00:00:00Z');
  });

  test('is backfilled in the windows that it began with, whatever the length is today', async () => {
    await scene.run(at('03 00:45'));
    scene.stage.env['STAR_WINDOW_MINUTES'] = '60';
    await scene.run(at('03 01:45'));
    await expect(
      scene.stage.backfill({ start: '2025-06-01T06:00Z', end: '2025-06-01T09:00Z' }),
    ).rejects.toThrow(/^event: start: got "2025-06-01T06:00Z", which is within a window/);
    const { done } = await backfill('01', '02');
    expect(done.map(({ window }) => window)).toEqual(['2025-06-01T00:00:00Z/2025-06-02T00:00:00Z']);
    expect((await scene.drops()).map(({ manifest }) => manifest.window.end)).toEqual([
      '2025-06-02T00:00:00Z',
      '2025-06-03T00:00:00Z',
      '2025-06-03T01:00:00Z',
    ]);
  });

  test('counts what was committed after a backfill and finished before begin, and publishes it nowhere', async () => {
    const open = await scene.event('cell1', server, 'compute_open', { start: at('02 20:00') });
    const other = await scene.event('cell1', server, 'compute_other', { start: at('02 20:00') });
    await scene.run(at('04 00:45'));
    await backfill('01', '03');
    await scene.finish('cell1', open, at('02 21:00'));
    await scene.finish('cell1', other, at('03 21:00'));
    await scene.run(at('05 00:45'));
    await scene.run(at('06 00:45'));
    const counts = (await scene.drops()).map(({ manifest }) => eventsOf(manifest).counts);
    expect(counts.map(({ beforeBegin }) => beforeBegin)).toEqual([0, 0, 0, 1, 0]);
    expect(counts.map(({ late }) => late)).toEqual([0, 0, 0, 1, 0]);
    expect((await days())['04']).toEqual(['compute_other', 'compute_041000']);
    const all = Object.values(await days()).flat();
    expect(all).not.toContain('compute_open');
    expect(new Set(all).size).toBe(all.length);
  });

  test('is refused once it is gone from beside its claims, and goes on when it is brought back', async () => {
    await scene.run(at('03 00:45'));
    const text = JSON.stringify(await trace());
    await scene.stage.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: TRACE }));
    const before = await listKeys(scene.stage.client);
    const refusal = {
      name: 'StoreError',
      message: `trace: ${TRACE}: is gone, but the trace has claims; bring it back (the bucket keeps old versions)`,
    };
    await expect(scene.run(at('04 00:45'))).rejects.toMatchObject(refusal);
    await expect(backfill('01', '02')).rejects.toMatchObject(refusal);
    await expect(backfill('01', '02', { dryRun: true })).rejects.toMatchObject(refusal);
    expect(await listKeys(scene.stage.client)).toEqual(before);
    await scene.stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: TRACE, Body: text }));
    await scene.run(at('04 00:45'));
    expect(Object.keys(await days())).toEqual(['02', '03']);
  });
});

describe('A trace that a backfill begins', () => {
  /** Hours since the first, which is two days ago; named by their number. */
  const FIRST = Math.floor(Date.now() / 1000 / HOUR) * HOUR - 2 * DAY;
  const LAST = 27;
  const hourly = async (): Promise<string[]> =>
    (await scene.drops()).flatMap(({ rows }) => (rows['jsonl'] ?? []).map((row) => String(row['event'])));

  beforeEach(async () => {
    scene.stage.env['STAR_WINDOW_MINUTES'] = '60';
    for (let n = 0; n < LAST; n++) {
      const start = FIRST + n * HOUR + 10 * MINUTE;
      await scene.event('cell1', server, `hour ${n}`, { start, finish: start + 40 * MINUTE });
    }
  });

  test('begins at the last edge that is at least 24 hours old, and the schedule catches up from there', async () => {
    const earliest = latestEdge(Date.now() / 1000, HOUR);
    const summary = await scene.stage.backfill({ start: iso(FIRST), end: iso(FIRST + 20 * HOUR) });
    const latest = latestEdge(Date.now() / 1000, HOUR);
    expect(summary).toMatchObject({ status: 'published', windows: 20 });
    const { begin } = await trace();
    expect([iso(earliest), iso(latest)]).toContain(begin);
    const edge = Date.parse(begin) / 1000;
    expect(Date.now() / 1000 - edge).toBeGreaterThanOrEqual(DAY);

    const caughtUp = await scene.run(edge + 2 * HOUR + 45 * MINUTE);
    expect(caughtUp).toMatchObject({ begin, status: 'published' });
    expect(caughtUp.windows.map(({ window }) => window.slice(0, 20))).toEqual([begin, iso(edge + HOUR)]);
    // Between them there is nothing that cannot be had still, and nothing is there twice.
    await scene.stage.backfill({ start: iso(FIRST), end: begin });
    const until = (edge - FIRST) / HOUR + 2;
    expect((await hourly()).toSorted()).toEqual(
      Array.from({ length: until }, (_, n) => `hour ${n}`).toSorted(),
    );
  });

  test('is not begun where nothing was due', async () => {
    const summary = await scene.stage.backfill({ start: iso(FIRST - 9 * HOUR), end: iso(FIRST) });
    expect(summary).toMatchObject({
      done: [],
      beforeHistory: [`${iso(FIRST - 9 * HOUR)}/${iso(FIRST)}`],
    });
    expect(await listKeys(scene.stage.client)).toEqual([]);
  });

  test('is refused where a schedule has begun it meanwhile before the end of the range', async () => {
    // The schedule comes when the backfill is about to begin the trace.
    const begin = FIRST + 4 * HOUR;
    let isMet = false;
    onWrite = async (key) => {
      if (key !== TRACE || isMet) return undefined;
      isMet = true;
      await scene.run(begin + HOUR + 45 * MINUTE);
      return undefined;
    };
    await expect(
      scene.stage.backfill({ start: iso(FIRST), end: iso(FIRST + 9 * HOUR) }),
    ).rejects.toMatchObject({
      name: 'InputError',
      message:
        `event: start, end: got ${iso(FIRST)}/${iso(FIRST + 9 * HOUR)}, but another run has just begun cloud=test ` +
        'otherwise; ask again to see what is accepted',
    });
    expect(isMet).toBe(true);
    expect(await trace()).toMatchObject({ begin: iso(begin) });
    expect((await listKeys(scene.stage.client)).filter((key) => key.includes('/state/claims/'))).toEqual([]);
    expect(await hourly()).toEqual(['hour 4']);
  });
});

describe('A run whose clock is wrong', () => {
  const YEAR: Seconds = 365 * DAY;
  const REFUSED = {
    name: 'ClockError',
    message: expect.stringMatching(
      /^clock: the store says .*, this machine .*; accepted: at most 5 minutes apart, .*; set the clocks by NTP$/,
    ) as string,
  };
  const turnClock = (seconds: Seconds): void =>
    void vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });

  beforeEach(() => event('02 10:00'));

  test.each([YEAR, -YEAR, 10 * MINUTE])('by %s s begins no trace: nothing is written', async (seconds) => {
    turnClock(seconds);
    await expect(scene.run(at('03 00:45'))).rejects.toMatchObject(REFUSED);
    await expect(backfill('02', '03')).rejects.toMatchObject(REFUSED);
    expect(await listKeys(scene.stage.client)).toEqual([]);
    vi.useRealTimers();
    expect(await scene.run(at('03 00:45'))).toMatchObject({ status: 'published', rows: 1 });
  });

  test('is refused in a trace that has begun, too, and only where a window is due', async () => {
    await event('01 10:00');
    await scene.run(at('03 00:45'));
    const before = await listKeys(scene.stage.client);
    turnClock(YEAR);
    for (const run of [() => scene.run(at('04 00:45')), () => backfill('01', '02')])
      await expect(run()).rejects.toBeInstanceOf(ClockError);
    expect(await scene.run(at('03 00:45'))).toMatchObject({ status: 'upToDate' });
    expect(await listKeys(scene.stage.client)).toEqual(before);
    vi.useRealTimers();
    expect(await scene.run(at('04 00:45'))).toMatchObject({ status: 'published' });
    expect(await backfill('01', '02')).toMatchObject({ status: 'published', rows: 1 });
  });

  test('by the clock of the database alone is refused as well', async () => {
    const reader = await scene.cell('cell1').reader();
    await scene.stage.setSecret(`${scene.cell('cell1').dsn(reader)}?ssl=off`);
    // It is run for users without privileges only.
    await db.query("SET GLOBAL init_connect = 'SET timestamp = 1577880000'");
    try {
      for (const run of [() => scene.run(at('03 00:45')), () => backfill('02', '03')])
        await expect(run()).rejects.toMatchObject({
          name: 'ClockError',
          message: expect.stringMatching(
            /^clock: the source says 2020-01-01T12:00:00Z, this machine 20/,
          ) as string,
        });
    } finally {
      await db.query('SET GLOBAL init_connect = DEFAULT');
    }
    expect(await listKeys(scene.stage.client)).toEqual([]);
  });
});

describe('At a store that ignores conditions', () => {
  const REFUSED = {
    name: 'InputError',
    message:
      's3://traces: the store ignores If-Match on PutObject, so that two runs could publish the same window; ' +
      'accepted: a store that keeps these conditions, such as Amazon S3, or a folder',
  };

  test('no run begins a trace, and nothing is written', async () => {
    await scene.stop();
    scene = await startScene(db, ['cell1'], { ignored: ['If-Match on PutObject'] });
    server = await scene.server('cell1');
    await event('02 10:00');
    await expect(scene.run(at('03 00:45'))).rejects.toMatchObject(REFUSED);
    await expect(backfill('02', '03')).rejects.toMatchObject(REFUSED);
    expect(await listKeys(scene.stage.client)).toEqual([]);
  });

  test('it is asked once in the life of a trace', async () => {
    await event('02 10:00');
    await scene.run(at('03 00:45'));
    await scene.run(at('04 00:45'));
    await backfill('01', '02');
    const probes = scene.stage.s3.requests().filter(({ key }) => key.includes('/state/probe/'));
    expect(new Set(probes.map(({ key }) => key)).size).toBe(1);
  });
});
