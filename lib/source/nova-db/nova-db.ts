import type { DatabaseConnection } from '../../connection/connection.ts';
import { disposables } from '../../core/disposables.ts';
import { InputError } from '../../core/errors.ts';
import type { MachinesRead } from '../machines/found.ts';
import type { Seal } from '../machines/seal.ts';
import { readerOf } from '../readers.ts';
import type { History, Source } from '../source.ts';
import { historyOf } from './history.ts';
import type { HostsOptions } from './host-rows.ts';
import { readHosts } from './hosts.ts';
import { earliest, sumOfKnown } from './instance-events.ts';
import { refuseLostCells } from './lost-cells.ts';
import { CELL0, type OpenDatabases } from './open-databases.ts';
import { readExtent } from './bounds.ts';
import { PLANNERS } from './planners.ts';
import { purgedOf } from './purged.ts';
import { READERS } from './readers.ts';
import { readSchema } from './schema.ts';
import { type CellSession, openCell } from './session.ts';

export interface DatabaseOptions extends HostsOptions {
  /** Cells that the checkpoint may know and the secret need not. */
  readonly retiredCells: ReadonlySet<string>;
  /** Keeps names of machines between runs. */
  readonly seal: Seal | undefined;
}

/**
 * Nova's cell databases as a source, and Placement's where it may be read. Each opening has connections of its own, one
 * a database, each in one consistent snapshot.
 */
export function databaseSource(
  { cells, placement }: Pick<DatabaseConnection, 'cells' | 'placement'>,
  options: DatabaseOptions,
): Source {
  const { retiredCells, seal } = options;
  return {
    kind: 'database',
    async open(signal) {
      await using opening = disposables();
      const sessions: CellSession[] = [];
      for (const cell of cells) sessions.push(opening.use(await openCell(cell, signal)));
      const opened = opening.move();
      let hosts: Promise<MachinesRead> | undefined;
      const readOnce = async (): Promise<MachinesRead> => {
        await using other = placement === undefined ? undefined : await openCell(placement, signal);
        return await readHosts(sessions, other, options);
      };
      const databases: OpenDatabases = {
        cells,
        retiredCells,
        sessions,
        seal,
        machines: () => (hosts ??= readOnce()),
        refuseLost: (parts) => refuseLostCells(parts, cells, retiredCells),
      };
      return {
        read: (table, request) => readerOf(READERS, table, 'Nova’s databases')(databases, request),
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      };
    },
    async statesAt(ranges, tables, signal) {
      const hasCopies = cells.filter(({ cell }) => cell !== CELL0).length > 1;
      const states = ranges.map((): Record<string, Record<string, object>> => ({}));
      for (const cell of cells) {
        await using session = await openCell(cell, signal);
        for (const table of tables) {
          const planned = (await PLANNERS[table]?.(session, ranges, hasCopies)) ?? [];
          for (const [nth, state] of planned.entries())
            ((states[nth] ??= {})[table] ??= {})[cell.cell] = state;
        }
      }
      return states;
    },
    async clock(signal) {
      const [cell] = cells;
      if (cell === undefined) throw new InputError('secret: cells: got none; accepted: one or more');
      await using session = await openCell(cell, signal);
      const [row] = await session.query('SELECT UNIX_TIMESTAMP()');
      return Number(row?.[0]);
    },
    async history(range, signal) {
      const all: History[] = [];
      for (const cell of cells) {
        await using session = await openCell(cell, signal);
        all.push(await historyOf(session, range));
      }
      return {
        from: earliest(all.map(({ from }) => from)),
        events: all.reduce((sum, { events }) => sum + (events ?? 0), 0),
        purged: sumOfKnown(all.map(({ purged }) => purged)),
      };
    },
    async purged(windows, signal) {
      const all: (number | null)[][] = [];
      for (const cell of cells) {
        await using session = await openCell(cell, signal);
        const schema = await readSchema(session);
        all.push(await purgedOf(session, schema, await readExtent(session.query, schema), windows));
      }
      return windows.map((_, nth) => sumOfKnown(all.map((counts) => counts[nth] ?? null)));
    },
  };
}
