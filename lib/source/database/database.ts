import type { CellConnection } from '../../connection/connection.ts';
import { InputError } from '../../errors.ts';
import type { Seconds } from '../../time.ts';
import { ahead } from '../ahead.ts';
import type { Batch, History, Source, SourceCounts, SourceState, WindowOutcome } from '../source.ts';
import { type CellOutcome, readCell } from './cell.ts';
import { historyOf } from './history.ts';
import { planCell } from './plan.ts';
import { type CellSession, openCell } from './session.ts';
import { type CellState, restoreCells, storeCell } from './state.ts';

/**
 * Nova's cell databases as a source. Every window is read on connections of its own, one a cell, each in one
 * consistent snapshot.
 *
 * @param retiredCells cells that the checkpoint may know and the secret need not
 */
export function databaseSource(cells: readonly CellConnection[], retiredCells: ReadonlySet<string>): Source {
  return {
    kind: 'database',
    async *read(request) {
      const states = cellsOf(request.state);
      refuseLostCells(states, cells, retiredCells);

      await using sessions = new AsyncDisposableStack();
      const opened: CellSession[] = [];
      for (const cell of cells) opened.push(sessions.use(await openCell(cell, request.signal)));

      const outcomes = yield* mergeCells(
        opened.map((session) => {
          const others = opened.filter((other) => other !== session);
          return readCell(session, others, states.get(session.cell), request);
        }),
      );
      return joinOutcomes(new Map(outcomes.map((outcome, index) => [cells[index]?.cell ?? '', outcome])));
    },
    async statesAt(ranges, signal) {
      // Nova moves nothing out of cell0, nor into it.
      const hasCopies = cells.filter(({ cell }) => cell !== 'cell0').length > 1;
      const planned = new Map<string, readonly CellState[]>();
      for (const cell of cells) {
        await using session = await openCell(cell, signal);
        planned.set(cell.cell, await planCell(session, ranges, hasCopies));
      }
      return ranges.map((_, nth) =>
        Object.fromEntries(
          [...planned].flatMap(([cell, states]) => {
            const state = states[nth];
            return state === undefined ? [] : [[cell, storeCell(state)]];
          }),
        ),
      );
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

const cellsOf = (state: SourceState | undefined): ReadonlyMap<string, CellState> =>
  state === undefined ? new Map() : restoreCells(state);

/** A cell that is left out by mistake would be a silent hole in the trace. */
function refuseLostCells(
  states: ReadonlyMap<string, CellState>,
  cells: readonly CellConnection[],
  retired: ReadonlySet<string>,
): void {
  const present = new Set(cells.map(({ cell }) => cell));
  const lost = [...states.keys()].find((cell) => !present.has(cell) && !retired.has(cell));
  if (lost === undefined) return;
  throw new InputError(
    `secret: cells: ${lost} is missing, which the last window had; ` +
      `accepted: all cells by the same names, or STAR_RETIRED_CELLS=${lost} if it is gone for good`,
  );
}

/**
 * Reads all cells side by side, one batch ahead of the consumer, always going on with the one that is furthest
 * behind, so that little has to be held back to put their events in one order.
 */
async function* mergeCells(
  readers: readonly AsyncGenerator<Batch, CellOutcome, void>[],
): AsyncGenerator<Batch, CellOutcome[], void> {
  const outcomes: CellOutcome[] = [];
  const lanes = readers.map((reader, index) => ({
    index,
    reader,
    watermark: -Infinity,
    next: ahead(reader),
  }));
  try {
    for (;;) {
      const running = lanes.filter((lane) => outcomes[lane.index] === undefined);
      const [lane] = running.toSorted((a, b) => a.watermark - b.watermark);
      if (lane === undefined) return outcomes;
      const step = await lane.next;
      if (step.done === true) {
        outcomes[lane.index] = step.value;
        lane.watermark = Infinity;
        continue;
      }
      lane.watermark = step.value.watermark;
      lane.next = ahead(lane.reader);
      yield { events: step.value.events, watermark: Math.min(...lanes.map(({ watermark }) => watermark)) };
    }
  } finally {
    await Promise.allSettled(lanes.map(({ next }) => next));
  }
}

function joinOutcomes(outcomes: ReadonlyMap<string, CellOutcome>): WindowOutcome {
  const all = [...outcomes.values()];
  return {
    state: Object.fromEntries([...outcomes].map(([cell, { state }]) => [cell, storeCell(state)])),
    counts: joinCounts(all.map(({ counts }) => counts)),
    sourceFrom: earliest(all.map(({ sourceFrom }) => sourceFrom)),
  };
}

function earliest(times: readonly (Seconds | null)[]): Seconds | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function joinCounts(counts: readonly SourceCounts[]): SourceCounts {
  const total = (pick: (count: SourceCounts) => number): number =>
    counts.reduce((sum, count) => sum + pick(count), 0);
  const skipped: Record<string, number> = {};
  for (const [reason, rows] of counts.flatMap((count) => Object.entries(count.skipped))) {
    skipped[reason] = (skipped[reason] ?? 0) + rows;
  }
  return {
    late: total((count) => count.late),
    beforeBegin: total((count) => count.beforeBegin ?? 0),
    abandoned: total((count) => count.abandoned),
    stillOpen: total((count) => count.stillOpen),
    rewritten: total((count) => count.rewritten),
    skipped,
  };
}
