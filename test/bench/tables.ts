/*
 * What servers and hosts add to a daily drop: 50,000 live servers, 2,000 hosts, with and without their tables.
 * `npm run bench -- tables`; the events of a day, servers and hosts may be given: `npm run bench -- tables 20000 50000 2000`.
 * The server's own counters tell what was read; they do not depend on the machine, nor on what else it does.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { startMariaDb } from '../support/mariadb/index.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { manyHosts, manyServers } from '../support/nova/many.ts';
import { createCell } from '../support/nova/schema.ts';
import { startStage } from '../support/stage.ts';
import { type Reads, readsOf, totalOf } from './reads.ts';
import { type Cost, bundledHandler, invokeOnce, median, table } from './subject.ts';

const ROUNDS = 3;
const START = Date.UTC(2026, 9, 1) / 1000;
const [events = 20_000, servers = 50_000, hosts = 2000] = process.argv.slice(2).map(Number);

const CHOICES: Readonly<Record<string, string>> = {
  'events alone': 'instance_events',
  'and servers': 'instance_events,instances',
  'and machines': 'instance_events,instances,machines,machine_events',
};

type Measured = Cost & { readonly reads: Reads };

const handler = await bundledHandler();
const db = await startMariaDb({ bufferPool: '512M' });
const folders: string[] = [];
try {
  const cell = await createCell(db, 'nova_cell1');
  await manyHosts(cell, hosts, START - 100 * DAY);
  await manyServers(cell, servers, START - 90 * DAY, START - DAY);
  await fillHistory(cell, { events, start: START, days: 1, window: { events } });

  const measure = async (folder: string, tables: string, midnight: number): Promise<Measured> => {
    const stage = await startStage({ folder, env: { STAR_TABLES: tables } });
    try {
      await stage.setSecret(`${cell.dsn()}?ssl=off`);
      let cost: Cost | undefined;
      const reads = await readsOf(db, async () => {
        cost = await invokeOnce(stage, handler, midnight + 45 * MINUTE);
      });
      if (cost?.status !== 'published') throw new Error(`${tables}: the run ended ${cost?.status}`);
      return { ...cost, reads };
    } finally {
      await stage.stop();
    }
  };
  const newFolder = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'star-compactor-bench-'));
    folders.push(folder);
    return folder;
  };

  const lines: Record<string, string | number>[] = [];
  const shown = (run: string, measured: readonly Measured[]): void => {
    const of = (pick: (one: Measured) => number): number => median(measured.map(pick));
    lines.push({
      run,
      rows: of(({ rows }) => rows),
      'all reads': of(({ reads }) => totalOf(reads)),
      'CPU s': of(({ cpuSeconds }) => cpuSeconds).toFixed(2),
      'peak MiB': of(({ peakMiB }) => peakMiB).toFixed(),
      kB: Math.round(of(({ bytes }) => bytes) / 1000),
    });
  };
  const before = new Map<string, string>();
  for (const [name, tables] of Object.entries(CHOICES)) {
    const folder = await newFolder();
    shown(`${name}, first run`, [await measure(folder, tables, START + DAY)]);
    before.set(name, folder);
  }
  const daily = new Map<string, Measured[]>();
  // The choices take turns, so that what else the machine does hits all alike.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, tables] of Object.entries(CHOICES)) {
      const folder = await newFolder();
      await cp(before.get(name) ?? '', folder, { recursive: true });
      const measured = await measure(folder, tables, START + 2 * DAY);
      daily.set(name, [...(daily.get(name) ?? []), measured]);
    }
  }
  for (const [name, measured] of daily) shown(`${name}, daily`, measured);
  console.log(
    `${events} events a day, ${servers} live servers, ${hosts} hosts; medians of ${ROUNDS} daily runs`,
  );
  console.log(table(lines));
} finally {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  await db.stop();
}
