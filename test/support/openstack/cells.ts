import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../mariadb/index.ts';
import type { Cell } from '../nova/schema.ts';
import type { NovaCall } from './nova.ts';
import { databaseError, unexpected } from './nova-errors.ts';

export type CellAnswer<T> =
  | { readonly cell: Cell; readonly value: T }
  /** Nova got no answer in time, or an error at once. */
  | { readonly cell: Cell; readonly down: 'silent' | 'failing' };

/** Asks all cells at once, as `scatter_gather_cells` (nova/context.py): silent ones cost the time-out, once. */
export async function askCells<T>(call: NovaCall, ask: (cell: Cell) => Promise<T>): Promise<CellAnswer<T>[]> {
  const { cells, silentCells, failingCells } = call.cloud;
  return Promise.all(
    cells.map(async (cell): Promise<CellAnswer<T>> => {
      if (silentCells.has(cell.name)) {
        await waitForSilentCell(call);
        return { cell, down: 'silent' };
      }
      if (failingCells.has(cell.name)) return { cell, down: 'failing' };
      try {
        return { cell, value: await ask(cell) };
      } catch (error) {
        if (isDatabaseError(error)) return { cell, down: 'failing' };
        throw error;
      }
    }),
  );
}

/**
 * The rows that `ask` finds in the cell of a server, where they all carry the server's `hidden` as `is_hidden`.
 * During a cross-cell move a server is in two cells, and counts where it is not hidden. None where no cell has it.
 *
 * Which cell a server is in Nova knows from another database, so it is known of silent cells as well.
 */
export async function findInCell(
  { cloud }: NovaCall,
  uuid: string,
  ask: (cell: Cell) => Promise<Row[]>,
): Promise<{ cell: Cell; rows: Row[] } | undefined> {
  const known = cloud.mappings.get(uuid);
  if (known !== undefined) {
    const rows = await orDatabaseError(ask(known));
    if (rows.length > 0 && !rows[0]?.['is_hidden']) return { cell: known, rows };
  }
  const answers = await orDatabaseError(
    Promise.all(cloud.cells.map(async (cell) => ({ cell, rows: await ask(cell) }))),
  );
  const found = answers.filter(({ rows }) => rows.length > 0);
  const one = found.find(({ rows }) => !rows[0]?.['is_hidden']) ?? found[0];
  if (one === undefined) cloud.mappings.delete(uuid);
  else cloud.mappings.set(uuid, one.cell);
  return one;
}

/** @returns whether the cell answers; after the time-out where it is silent */
export async function isUp(call: NovaCall, cell: Cell): Promise<boolean> {
  if (call.cloud.silentCells.has(cell.name)) {
    await waitForSilentCell(call);
    return false;
  }
  return !call.cloud.failingCells.has(cell.name);
}

/** @throws NovaError 500 where the cell does not answer, as what needs that one cell does */
export async function needCell(call: NovaCall, cell: Cell): Promise<void> {
  if (!(await isUp(call, cell))) throw unexpected('nova.exception.NovaException');
}

async function waitForSilentCell({ cloud, signal }: NovaCall): Promise<void> {
  await sleep(cloud.cellTimeoutMs, undefined, { signal });
}

/** A database that the test has stopped or dropped is one that refuses. */
function isDatabaseError(error: unknown): boolean {
  return error instanceof Error && ('errno' in error || 'sqlState' in error || 'fatal' in error);
}

async function orDatabaseError<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw isDatabaseError(error) ? Object.assign(databaseError(), { cause: error }) : error;
  }
}

/** Without the columns that a test's database may lack: those before Train have no `hidden`. */
export function hiddenOf(cell: Cell): string {
  return cell.columns.instances.includes('hidden') ? 'COALESCE(i.hidden, 0)' : '0';
}
