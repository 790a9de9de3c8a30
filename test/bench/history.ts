import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import type { MariaDb } from '../support/mariadb/index.ts';
import { type Filled, fillHistory } from '../support/nova/bulk-history.ts';
import { replay } from '../support/nova/history.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import { startStage } from '../support/stage.ts';
import { type Reads, readsOf } from './reads.ts';
import { type Cost, invokeOnce } from './subject.ts';

/** A cell with a history, and the bucket as it is the day before the window. */
export interface History extends Filled {
  readonly cell: Cell;
  readonly folder: string;
  /** Events that finish in the window, by a scan of everything: what its drop has to hold. */
  readonly expected: number;
}

export type Measured = Cost & { readonly reads: Reads };

/**
 * A history grows by going on, not by getting denser: the longer one has more days, each as busy as the window.
 *
 * @param events in the live tables; the shadow tables get as many
 */
export async function createHistory(
  db: MariaDb,
  events: number,
  window: { start: number; events: number },
): Promise<History> {
  const cell = await createCell(db, `of_${events}`);
  const days = Math.ceil(events / window.events);
  const start = window.start - days * DAY;
  const filled = await fillHistory(cell, { events, start, days, shadow: true, window });
  const expected = await countFinished(cell, filled.window);
  return { ...filled, cell, folder: await newFolder(), expected };
}

/** The first run ever, for the day before the window; it leaves its checkpoint in the history's folder. */
export function runDayBefore(history: History, handler: string): Promise<Measured> {
  return measure(history, history.folder, handler, history.window.start);
}

/** The daily run of the window, each time from the same checkpoint. */
export async function runWindow(history: History, handler: string): Promise<Measured> {
  const folder = await newFolder();
  try {
    await cp(history.folder, folder, { recursive: true });
    const measured = await measure(history, folder, handler, history.window.end);
    const { rows, status } = measured;
    if (rows !== history.expected) {
      throw new Error(`${history.cell.name}: ${rows} rows, not ${history.expected} (${status})`);
    }
    return measured;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Moves servers that were created and deleted in the window to the shadow tables, with all they have. */
export async function archiveSome({ cell, window }: History, servers: number): Promise<void> {
  // By their ids, for finding them by time would take as long as the history is.
  const rows = await cell.query('SELECT uuid FROM instances WHERE deleted <> 0 ORDER BY id DESC LIMIT ?', [
    servers,
  ]);
  const changes = rows.map(({ uuid }) => ({
    at: window.end,
    cell: cell.name,
    table: 'instances' as const,
    archive: String(uuid),
  }));
  await replay([cell], changes).applyUntil(window.end);
}

async function measure(
  history: History,
  folder: string,
  handler: string,
  midnight: number,
): Promise<Measured> {
  const stage = await startStage({ folder });
  try {
    await stage.setSecret(`${history.cell.dsn()}?ssl=off`);
    let cost: Cost | undefined;
    const reads = await readsOf(history.cell.server, async () => {
      cost = await invokeOnce(stage, handler, midnight + 45 * MINUTE);
    });
    if (cost?.status !== 'published') throw new Error(`${history.cell.name}: the run ended ${cost?.status}`);
    return { ...cost, reads };
  } finally {
    await stage.stop();
  }
}

async function countFinished(cell: Cell, { start, end }: Filled['window']): Promise<number> {
  const finished =
    "finish_time >= '1970-01-01' + INTERVAL ? SECOND AND finish_time < '1970-01-01' + INTERVAL ? SECOND";
  let total = 0;
  for (const table of ['instance_actions_events', 'shadow_instance_actions_events']) {
    const [row] = await cell.query(`SELECT COUNT(*) AS n FROM ${table} WHERE ${finished}`, [start, end]);
    total += Number(row?.['n']);
  }
  return total;
}

function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'star-compactor-bench-'));
}
