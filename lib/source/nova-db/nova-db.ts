import type { CellConnection } from '../../connection/connection.ts';
import { InputError } from '../../core/errors.ts';
import { readerOf } from '../readers.ts';
import type { History, Source } from '../source.ts';
import { historyOf } from './history.ts';
import { earliest } from './instance-events.ts';
import { PLANNERS } from './planners.ts';
import { READERS } from './readers.ts';
import { type CellSession, openCell } from './session.ts';

/**
 * Nova's cell databases as a source. Each opening has connections of its own, one a cell, each in one consistent
 * snapshot.
 *
 * @param retiredCells cells that the checkpoint may know and the secret need not
 */
export function databaseSource(cells: readonly CellConnection[], retiredCells: ReadonlySet<string>): Source {
  return {
    kind: 'database',
    async open(signal) {
      await using opening = new AsyncDisposableStack();
      const sessions: CellSession[] = [];
      for (const cell of cells) sessions.push(opening.use(await openCell(cell, signal)));
      const opened = opening.move();
      return {
        read(table, request) {
          const reader = readerOf(READERS, table, 'Nova’s databases');
          return reader({ cells, retiredCells, sessions }, request);
        },
        [Symbol.asyncDispose]: () => opened.disposeAsync(),
      };
    },
    async statesAt(ranges, tables, signal) {
      // Nova moves nothing out of cell0, nor into it.
      const hasCopies = cells.filter(({ cell }) => cell !== 'cell0').length > 1;
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
      };
    },
  };
}
