import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { type Drop, eventsOf } from '../support/drops.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import {
  type RandomHistory,
  type RandomHistoryOptions,
  randomHistory,
} from '../support/nova/random-history.ts';
import {
  EQUAL,
  type BothSources,
  compareBothSources,
  startBothSources,
} from '../support/nova/both-sources.ts';
import { watchedHistory } from '../support/nova/watch.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_125);
const DAYS = 10;

let db: MariaDb;
let both: BothSources;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  both = await startBothSources(db);
});
afterEach(() => both.stop());

const total = (drops: readonly Drop[], count: 'rows' | 'late' | 'rewritten' | 'abandoned'): number =>
  drops.reduce((sum, { manifest }) => sum + eventsOf(manifest).counts[count], 0);

const mornings = (history: RandomHistory, skipped: readonly number[] = []): number[] =>
  Array.from({ length: DAYS }, (_, day) => day + 1)
    .filter((day) => !skipped.includes(day))
    .map((day) => history.start + day * DAY + 45 * MINUTE);

const made = (options: Partial<RandomHistoryOptions> = {}): RandomHistory =>
  randomHistory({ seed: SEED, days: DAYS, eventsPerDay: 150, ...options });

/**
 * What the database has and the API has not, save what cannot be: the made-up history lets servers be acted upon after
 * their deletion, which Nova's API refuses.
 */
async function missing(onlyInDatabase: readonly string[]): Promise<string[]> {
  const deleted = new Map<unknown, string>();
  for (const cell of both.cells) {
    for (const row of await cell.query(
      'SELECT uuid, deleted_at FROM instances WHERE deleted_at IS NOT NULL',
    )) {
      deleted.set(row['uuid'], `${String(row['deleted_at']).replace(' ', 'T')}Z`);
    }
  }
  return onlyInDatabase.filter((row) => {
    const { uuid, start_time: start } = JSON.parse(row.slice(row.indexOf('{'))) as Record<string, string>;
    return (start ?? '') < (deleted.get(uuid) ?? '9');
  });
}

describe(`The same days over a fake of the Nova API and from its databases (seed ${SEED})`, () => {
  test('give the same rows, whatever straddles, lasts, comes late, is rewritten or never ends', async () => {
    const history = made();
    await both.live(history.changes, mornings(history));
    const { database, api, onlyInDatabase, onlyOverApi } = await compareBothSources(both);
    expect({ onlyInDatabase: await missing(onlyInDatabase), onlyOverApi }).toEqual(EQUAL);
    expect(total(api, 'rows')).toBeGreaterThan(1000);
    expect(total(database, 'rows') - total(api, 'rows')).toBe(onlyInDatabase.length);
    const unseen = onlyInDatabase.length;
    expect(Math.abs(total(api, 'late') - total(database, 'late'))).toBeLessThanOrEqual(unseen);
    expect(Math.abs(total(api, 'rewritten') - total(database, 'rewritten'))).toBeLessThanOrEqual(unseen);
    expect(total(api, 'late') + total(api, 'rewritten')).toBeGreaterThan(0);
    const [last, lastOverApi] = [database.at(-1), api.at(-1)].map(
      (drop) => eventsOf(drop?.manifest).counts.stillOpen,
    );
    expect(Math.abs((last ?? 0) - (lastOverApi ?? 0))).toBeLessThanOrEqual(unseen);
  });

  test('give the same rows where days without a run are caught up', async () => {
    const history = made({ seed: SEED + 1 });
    await both.live(history.changes, mornings(history, [4, 5, 6]));
    const { api, onlyInDatabase, onlyOverApi } = await compareBothSources(both);
    expect({ onlyInDatabase: await missing(onlyInDatabase), onlyOverApi }).toEqual(EQUAL);
    expect(api).toHaveLength(DAYS);
  });

  test('differ in nothing but archived servers where Nova is archived every night', async () => {
    const start = Date.UTC(2026, 9, 1) / 1000;
    const history = made({ seed: SEED + 2, start, archiveAt: (day) => start + day * DAY + 10 * MINUTE });
    await both.live(history.changes, mornings(history));
    const { api, onlyInDatabase, onlyOverApi } = await compareBothSources(both);
    expect(onlyOverApi).toEqual([]);
    expect(onlyInDatabase.length).toBeGreaterThan(0);
    // Every server that was there the day before and is in no list is counted, and the manifest says what it lacks.
    const counted = api.map(({ manifest }) => eventsOf(manifest).counts.skipped['serverArchived'] ?? 0);
    expect(Math.max(...counted)).toBeGreaterThan(0);
    api.forEach(({ manifest }, nth) => {
      const lacks = eventsOf(manifest).api?.unseen.includes('archivedServers');
      expect(lacks).toBe(nth === 0 || (counted[nth] ?? 0) > 0);
    });
    const archived = new Set<unknown>();
    for (const cell of both.cells) {
      for (const { uuid } of await cell.query('SELECT uuid FROM shadow_instances')) archived.add(uuid);
    }
    const uuids = onlyInDatabase.map(
      (row) => (JSON.parse(row.slice(row.indexOf('{'))) as { uuid: string }).uuid,
    );
    expect(uuids.filter((uuid) => !archived.has(uuid))).toEqual([]);
  });
});

describe('The recorded changes of a real Nova, over a fake of its API', () => {
  test('give the rows that its databases give, minute by minute', async () => {
    both.set({ STAR_WINDOW_MINUTES: '1', STAR_SETTLE_MINUTES: '1' });
    const changes = await watchedHistory();
    const start = Math.floor((changes[0]?.at ?? 0) / MINUTE) * MINUTE;
    const windows = Math.ceil(((changes.at(-1)?.at ?? 0) - start) / MINUTE) + 2;
    await both.live(
      changes,
      Array.from({ length: windows }, (_, nth) => start + (nth + 2) * MINUTE),
    );
    const { api, database: _, ...differences } = await compareBothSources(both);
    expect(differences).toEqual(EQUAL);
    expect(total(api, 'rows')).toBe(1521);
  });
});
