import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMariaDb } from '../mariadb/index.ts';
import type { MariaDb } from '../mariadb/index.ts';
import { replay } from './history.ts';
import type { Change } from './history.ts';
import { randomHistory } from './random-history.ts';
import { loadSample } from './sample.ts';
import { createCell } from './schema.ts';
import { finishedEvents } from './truth.ts';
import { watchedHistory } from './watch.ts';

const DAY = 86_400;
const START = Date.UTC(2026, 9, 1) / 1000;

describe('histories', () => {
  let server: MariaDb;
  let other: MariaDb;

  beforeAll(async () => {
    [server, other] = await Promise.all([startMariaDb(), startMariaDb()]);
  });
  afterAll(() => Promise.all([server.stop(), other.stop()]));

  test('what was watched while it happened ends as the sample', async () => {
    const changes = await watchedHistory();
    const end = changes.at(-1)?.at ?? 0;
    const watched = [await createCell(server, 'cell1'), await createCell(server, 'cell0')];
    const history = replay(watched, changes);
    for (let at = changes[0]?.at ?? end; at < end; at += 60) await history.applyUntil(at);
    await history.applyUntil(end);

    const sample = await loadSample(other);
    const events = await finishedEvents(watched, end + 1);
    expect(events).toHaveLength(1521);
    expect(events).toEqual(await finishedEvents(Object.values(sample), end + 1));
  });

  test('a random history is the same in one step and in many, and archiving loses no finished event', async () => {
    const options = { seed: 5, start: START, days: 4, eventsPerDay: 120 };
    const archived = randomHistory({ ...options, archiveAt: (day) => START + day * DAY + 600 });
    const cells = await Promise.all(['a1', 'a2'].map((name) => createCell(server, name)));
    const changes = [
      ...renamed(archived.changes, { cell1: 'a1' }),
      ...renamed(archived.changes, { cell1: 'a2' }),
    ];
    const steps = replay(cells.slice(0, 1), only(changes, 'a1'));
    for (let at = START; at < START + 4 * DAY; at += 1800) await steps.applyUntil(at);
    await steps.applyUntil(Infinity);
    await replay(cells.slice(1), only(changes, 'a2')).applyUntil(Infinity);

    const inSteps = await finishedEvents(cells.slice(0, 1), archived.end + 30 * DAY);
    const atOnce = await finishedEvents(cells.slice(1), archived.end + 30 * DAY);
    expect(inSteps.length).toBeGreaterThan(300);
    expect(atOnce).toEqual(inSteps.map((event) => ({ ...event, cell: 'a2' })));
    const [live] = (await cells[0]?.query('SELECT COUNT(*) AS events FROM instance_actions_events')) ?? [];
    const [shadow] =
      (await cells[0]?.query('SELECT COUNT(*) AS events FROM shadow_instance_actions_events')) ?? [];
    expect(live?.['events']).toBeGreaterThan(0);
    expect(shadow?.['events']).toBeGreaterThan(0);
  });

  test('rows that are removed are gone, also when they came in the same step', async () => {
    const cell = await createCell(server, 'removal');
    const row = { id: 1, uuid: 'u-1', hostname: 'web' };
    const changes: Change[] = [
      { at: 1, cell: 'removal', table: 'instances', upsert: row },
      { at: 2, cell: 'removal', table: 'instances', remove: [1] },
      { at: 3, cell: 'removal', table: 'instances', upsert: { ...row, id: 2 } },
      { at: 4, cell: 'removal', table: 'instances', remove: [2] },
    ];
    const history = replay([cell], changes);
    await history.applyUntil(3);
    expect(await cell.query('SELECT id, hostname FROM instances')).toEqual([{ id: 2, hostname: 'web' }]);
    await history.applyUntil(4);
    expect(await cell.query('SELECT id FROM instances')).toEqual([]);
  });

  test('a change in an unknown cell is refused', async () => {
    const changes: Change[] = [{ at: 1, cell: 'cell9', table: 'instances', remove: [1] }];
    await expect(replay([], changes).applyUntil(1)).rejects.toThrow('cell9');
  });
});

function renamed(changes: Change[], names: Record<string, string>): Change[] {
  return changes.flatMap((change) => {
    const cell = names[change.cell];
    return cell === undefined ? [] : [{ ...change, cell }];
  });
}

function only(changes: Change[], cell: string): Change[] {
  return changes.filter((change) => change.cell === cell);
}
