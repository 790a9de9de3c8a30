import type { TraceEvent } from '../../tables/instance-events/row.ts';
import type { Seconds } from '../../core/time.ts';
import type { Batch, Outcome, ReadRequest, SourceCounts, SourceState } from '../source.ts';
import { type CellOutcome, readCell } from './cell.ts';
import { refuseLostCells } from './lost-cells.ts';
import { mergeCells } from './merge-cells.ts';
import type { OpenDatabases } from './open-databases.ts';
import { type CellState, restoreCells, storeCell } from './state.ts';

/** Finished events of all cells. */
export async function* readInstanceEvents(
  { cells, retiredCells, sessions }: OpenDatabases,
  request: ReadRequest,
): AsyncGenerator<Batch<TraceEvent>, Outcome, void> {
  const states = cellsOf(request.state);
  refuseLostCells(states.keys(), cells, retiredCells);
  const outcomes = yield* mergeCells(
    sessions.map((session) => {
      const others = sessions.filter((other) => other !== session);
      return readCell(session, others, states.get(session.cell), request);
    }),
  );
  return joinOutcomes(new Map(outcomes.map((outcome, index) => [cells[index]?.cell ?? '', outcome])));
}

const cellsOf = (state: SourceState | undefined): ReadonlyMap<string, CellState> =>
  state === undefined ? new Map() : restoreCells(state);

function joinOutcomes(outcomes: ReadonlyMap<string, CellOutcome>): Outcome {
  const all = [...outcomes.values()];
  return {
    state: Object.fromEntries([...outcomes].map(([cell, { state }]) => [cell, storeCell(state)])),
    counts: joinCounts(all.map(({ counts }) => counts)),
    sourceFrom: earliest(all.map(({ sourceFrom }) => sourceFrom)),
  };
}

export function earliest(times: readonly (Seconds | null)[]): Seconds | null {
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
