import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ScheduleSummary } from '../../lib/schedule/summary.ts';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { type Drop, eventsOf, readDrops } from '../support/drops.ts';
import { type MariaDb, type Row, useMariaDb } from '../support/mariadb/index.ts';
import { compareWithTruth, identityOf, unlikeNow } from '../support/nova/compare.ts';
import { type Change, replay } from '../support/nova/history.ts';
import { type RandomHistory, randomHistory } from '../support/nova/random-history.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import { UNMASKED, WITHOUT_REPORT } from '../support/nova/scene.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import { watchedHistory } from '../support/nova/watch.ts';
import { IS_SLOW } from '../support/slow.ts';
import { type Stage, startStage } from '../support/stage.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_123);
const DAYS = IS_SLOW ? 30 : 8;
const SETTINGS = { ...UNMASKED, ...WITHOUT_REPORT, STAR_FORMATS: 'jsonl,csv' };

let db: MariaDb;
let stage: Stage;
let cells: Cell[] = [];

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  cells = [];
  for (const name of ['cell1', 'cell0']) cells.push(await createCell(db, name));
  stage = await startStage({ env: SETTINGS });
  await stage.setSecret(
    JSON.stringify({ cells: Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn()])), ssl: 'off' }),
  );
});
afterEach(async () => {
  await stage.stop();
  for (const cell of cells) await db.query(`DROP DATABASE \`${cell.database}\``);
});

/** Replays a history and invokes the handler at the given times, as if each were now. */
async function live(changes: readonly Change[], runs: readonly number[]): Promise<ScheduleSummary[]> {
  const history = replay(cells, changes);
  const summaries: ScheduleSummary[] = [];
  for (const time of runs) {
    await history.applyUntil(time);
    const summary = await stage.run(time);
    summaries.push(summary);
    const published = await readDrops(stage.client, '', { last: summary.windows.length });
    const truth = await finishedEvents(cells, time);
    for (const drop of published) expect(unlikeNow(drop, truth)).toEqual([]);
  }
  return summaries;
}

const total = (
  drops: readonly Drop[],
  count: 'rows' | 'late' | 'rewritten' | 'stillOpen' | 'abandoned',
): number => drops.reduce((sum, { manifest }) => sum + eventsOf(manifest).counts[count], 0);

/** Every finished event is in the drops once; those that Nova rewrote after publication may have other values. */
async function expectExactlyOnce(until: number, history: Pick<RandomHistory, 'rewritten'>): Promise<Drop[]> {
  const drops = await readDrops(stage.client);
  const truth = await finishedEvents(cells, until);
  const { onlyInDrops, onlyInDatabase } = compareWithTruth(drops, truth);

  expect(onlyInDrops.map(identityOf).toSorted()).toEqual(onlyInDatabase.map(identityOf).toSorted());
  expect(total(drops, 'rewritten')).toBe(onlyInDatabase.length);
  expect(onlyInDatabase.length).toBeLessThanOrEqual(history.rewritten.length);
  expect(total(drops, 'rows')).toBe(truth.length);
  for (const { manifest, rows } of drops) {
    const starts = (rows['jsonl'] ?? []).map((row) => String(row['start_time']));
    expect(starts).toEqual(starts.toSorted());
    expect(rows['csv']?.map((row) => `${String(row['START_TIME'])}Z`)).toEqual(starts);
    const finishes = (rows['jsonl'] ?? []).map((row) => String(row['finish_time']));
    const inWindow = finishes.filter(
      (finish) => finish >= manifest.window.start && finish < manifest.window.end,
    );
    expect(finishes.length - inWindow.length).toBe(eventsOf(manifest).counts.late);
  }
  return drops;
}

describe(`over ${DAYS} days of events that straddle midnight, last for days, never finish and finish late (seed ${SEED})`, () => {
  const everyDay = (history: RandomHistory, skipped: number[] = []): number[] =>
    Array.from({ length: DAYS }, (_, day) => day + 1)
      .filter((day) => !skipped.includes(day))
      .map((day) => history.start + day * DAY + 45 * MINUTE);

  test('the union of the daily drops is every finished event, once', async () => {
    const history = randomHistory({ seed: SEED, days: DAYS });
    const summaries = await live(history.changes, everyDay(history));
    expect(summaries.map(({ status }) => status)).toEqual(summaries.map(() => 'published'));
    const drops = await expectExactlyOnce(history.start + DAYS * DAY, history);
    expect(drops).toHaveLength(DAYS);
    expect(total(drops, 'late')).toBeGreaterThan(0);
    expect(eventsOf(drops.at(-1)?.manifest).counts.stillOpen).toBeGreaterThan(0);
  });

  test('three days without a run are caught up by the next, window by window', async () => {
    const history = randomHistory({ seed: SEED + 1, days: DAYS });
    const summaries = await live(history.changes, everyDay(history, [5, 6, 7]));
    expect(summaries[4]?.windows).toHaveLength(4);
    expect(await expectExactlyOnce(history.start + DAYS * DAY, history)).toHaveLength(DAYS);
  });

  test('archiving every night, before the day is extracted, loses and repeats nothing', async () => {
    const start = Date.UTC(2026, 9, 1) / 1000;
    const archiveAt = (day: number): number => start + day * DAY + 10 * MINUTE;
    const history = randomHistory({ seed: SEED + 2, days: DAYS, start, archiveAt });
    await live(history.changes, everyDay(history, [DAYS - 5, DAYS - 4]));
    expect(await expectExactlyOnce(history.start + DAYS * DAY, history)).toHaveLength(DAYS);
    const [archived] = await cells[0]!.query('SELECT COUNT(*) AS events FROM shadow_instance_actions_events');
    expect(archived?.['events']).toBeGreaterThan(0);
  });

  test('events open for longer than the horizon are given up, counted, and not waited for', async () => {
    stage.env['STAR_OPEN_HORIZON_DAYS'] = '2';
    const history = randomHistory({ seed: SEED + 3, days: 8 });
    await live(history.changes, everyDay(history).slice(0, 8));
    const drops = await readDrops(stage.client);
    const truth = await finishedEvents(cells, history.start + 8 * DAY);
    expect(total(drops, 'abandoned')).toBeGreaterThan(0);
    const { onlyInDatabase } = compareWithTruth(drops, truth);
    const longest = (row: string): number => {
      const [, , start, finish] = JSON.parse(row) as string[];
      return (Date.parse(finish ?? '') - Date.parse(start ?? '')) / 1000;
    };
    const rewritten = new Set(compareWithTruth(drops, truth).onlyInDrops.map(identityOf));
    const lost = onlyInDatabase.filter((row) => !rewritten.has(identityOf(row)));
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.filter((row) => longest(row) <= 2 * DAY)).toEqual([]);
  });
});

describe('the recorded changes of a real Nova', () => {
  /** Runs one window after the other as soon as it is settled, and some more. */
  async function replayed(
    changes: readonly Change[],
    window: number,
  ): Promise<{ drops: Drop[]; rewritten: number }> {
    const [first, last] = [changes[0]?.at ?? 0, changes.at(-1)?.at ?? 0];
    const start = Math.floor(first / window) * window;
    const count = Math.ceil((last - start) / window) + 2;
    Object.assign(stage.env, { STAR_WINDOW_MINUTES: String(window / MINUTE), STAR_SETTLE_MINUTES: '1' });

    await live(
      changes,
      Array.from({ length: count }, (_, nth) => start + (nth + 1) * window + MINUTE),
    );
    const truth = await finishedEvents(cells, start + count * window);
    const drops = await readDrops(stage.client);
    const { onlyInDrops, onlyInDatabase } = compareWithTruth(drops, truth);
    expect(truth).toHaveLength(1521);
    expect(total(drops, 'rows')).toBe(1521);
    expect(onlyInDrops.map(identityOf).toSorted()).toEqual(onlyInDatabase.map(identityOf).toSorted());
    expect(total(drops, 'rewritten')).toBe(onlyInDatabase.length);
    return { drops, rewritten: onlyInDatabase.length };
  }

  test('are delivered once, with a run every minute', async () => {
    const { drops, rewritten } = await replayed(await watchedHistory(), MINUTE);
    expect(drops.length).toBeGreaterThan(15);
    // All nine rewrites come within a quarter of a minute, and so before their window is settled.
    expect(rewritten).toBe(0);
  });

  test.runIf(IS_SLOW)(
    'are delivered once with a run every ten seconds and a second to settle, and what Nova rewrites is counted',
    async () => {
      const { rewritten } = await replayed(slowedDown(await watchedHistory(), MINUTE), 10 * MINUTE);
      expect(rewritten).toBeGreaterThan(0);
    },
  );
});

/** The same history so many times slower: one minute is the least settle time, and here it stands for a second. */
function slowedDown(changes: readonly Change[], times: number): Change[] {
  const origin = Math.floor((changes[0]?.at ?? 0) / DAY) * DAY - 20 * DAY;
  const slow = (at: number): number => origin + (at % DAY) * times;
  return changes.map((change) => {
    if (change.upsert === undefined) return { ...change, at: slow(change.at) };
    const values = Object.entries(change.upsert).map(([column, value]) => {
      const isTime = typeof value === 'string' && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(value);
      return [column, isTime ? sqlTime(slow(Date.parse(`${value}Z`) / 1000)) : value];
    });
    return { ...change, at: slow(change.at), upsert: Object.fromEntries(values) as Row };
  });
}
