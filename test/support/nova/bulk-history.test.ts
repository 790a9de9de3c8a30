import { afterAll, beforeAll, expect, test } from 'vitest';
import { useMariaDb } from '../mariadb/index.ts';
import type { MariaDb, Row } from '../mariadb/index.ts';
import { fillHistory } from './bulk-history.ts';
import { createCell } from './schema.ts';
import { finishedEvents } from './truth.ts';

const START = Date.UTC(2026, 0, 1) / 1000;

let server: MariaDb;
beforeAll(async () => {
  server = await useMariaDb();
});
afterAll(() => server.stop());

test('a window holds the events asked for, the same after a short and a long history', async () => {
  const short = await createCell(server, 'short');
  const long = await createCell(server, 'long');
  const window = { events: 3000 };
  const filled = await fillHistory(short, { events: 2000, start: START + 86_400 * 20, days: 10, window });
  await fillHistory(long, { events: 8000, start: START, days: 30, window, shadow: true });
  expect(filled).toMatchObject({ events: 2000, shadowEvents: 0, windowEvents: 3000 });

  const inWindow = (rows: Row[]): Row[] =>
    rows
      .filter((row) => Date.parse(`${String(row['finish_time'])}Z`) / 1000 >= filled.window.start)
      .map(({ id: _id, cell: _cell, ...row }) => row);
  const afterShort = inWindow(await finishedEvents([short], filled.window.end));
  expect(afterShort).toHaveLength(3000);
  expect(inWindow(await finishedEvents([long], filled.window.end))).toEqual(afterShort);
});

test('ids rise with start times, shadow ids lie between live ones, and some events never finish', async () => {
  const cell = await createCell(server, 'order');
  const filled = await fillHistory(cell, { events: 10_000, start: START, days: 10, shadow: true });
  expect(filled.events + filled.shadowEvents).toBe(20_000);
  expect(filled.shadowEvents).toBeGreaterThan(8000);
  const events = await cell.query(
    `SELECT id, UNIX_TIMESTAMP(start_time) AS start, finish_time, 0 AS shadow FROM instance_actions_events
      UNION ALL SELECT id, UNIX_TIMESTAMP(start_time), finish_time, 1 FROM shadow_instance_actions_events ORDER BY id`,
  );
  expect(events.map((event) => event['id'])).toEqual(Array.from({ length: 20_000 }, (_, at) => at + 1));
  const starts = events.map((event) => Number(event['start']));
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  const open = events.filter((event) => event['finish_time'] === null);
  expect(open.length / events.length).toBeCloseTo(0.007, 3);
});
