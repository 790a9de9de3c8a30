import type { CellConnection } from '../../connection/connection.ts';
import { InputError } from '../../core/errors.ts';
import type { TraceEvent } from '../../tables/instance-events/row.ts';
import type { Seconds } from '../../core/time.ts';
import { ahead } from '../ahead.ts';
import type { Batch, Outcome, ReadRequest, SourceCounts, SourceState } from '../source.ts';
import { type CellOutcome, readCell } from './cell.ts';
import type { OpenDatabases } from './open-databases.ts';
import { type CellState, restoreCells, storeCell } from './state.ts';

/** Finished events of all cells. */
export async function* readInstanceEvents(
  { cells, retiredCells, sessions }: OpenDatabases,
  request: ReadRequest,
): AsyncGenerator<Batch<TraceEvent>, Outcome, void> {
  const states = cellsOf(request.state);
  refuseLostCells(states, cells, retiredCells);
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
  readers: readonly AsyncGenerator<Batch<TraceEvent>, CellOutcome, void>[],
): AsyncGenerator<Batch<TraceEvent>, CellOutcome[], void> {
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
      yield { rows: step.value.rows, watermark: Math.min(...lanes.map(({ watermark }) => watermark)) };
    }
  } finally {
    await Promise.allSettled(lanes.map(({ next }) => next));
  }
}

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
