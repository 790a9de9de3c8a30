import type { TraceEvent } from '../../tables/instance-events/row.ts';
import type { Seconds } from '../../core/time.ts';
import type { Batch, Outcome, ReadRequest, SourceCounts, SourceState } from '../source.ts';
import { type CellOutcome, readCell } from './cell.ts';
import { refuseLostCells } from './lost-cells.ts';
import { mergeCells } from './merge-cells.ts';
import { CELL0, type OpenDatabases } from './open-databases.ts';
import { readPlanned } from './planned-cell.ts';
import type { CellSession } from './session.ts';
import { type RestoredCells, restoreCells, storeCell } from './state.ts';

/** Finished events of all cells. */
export async function* readInstanceEvents(
  { cells, retiredCells, sessions }: OpenDatabases,
  request: ReadRequest,
): AsyncGenerator<Batch<TraceEvent>, Outcome, void> {
  const { states, plans } = cellsOf(request.state);
  refuseLostCells([...states.keys(), ...plans.keys()], cells, retiredCells);
  const outcomes = yield* mergeCells(
    sessions.map((session) => {
      const others = copiesFrom(session, sessions);
      const planned = plans.get(session.cell);
      if (planned !== undefined) return readPlanned(session, others, planned, request);
      return readCell(session, others, states.get(session.cell), request);
    }),
  );
  return joinOutcomes(new Map(outcomes.map((outcome, index) => [cells[index]?.cell ?? '', outcome])));
}

const cellsOf = (state: SourceState | undefined): RestoredCells =>
  state === undefined ? { states: new Map(), plans: new Map() } : restoreCells(state);

/** The cells that a cross-cell resize may have copied from: nothing moves into cell0 or out of it. */
function copiesFrom(session: CellSession, sessions: readonly CellSession[]): CellSession[] {
  if (session.cell === CELL0) return [];
  return sessions.filter((other) => other !== session && other.cell !== CELL0);
}

function joinOutcomes(outcomes: ReadonlyMap<string, CellOutcome>): Outcome {
  const all = [...outcomes.values()];
  return {
    state: Object.fromEntries(
      [...outcomes].flatMap(([cell, { state }]) => (state === undefined ? [] : [[cell, storeCell(state)]])),
    ),
    counts: joinCounts(all.map(({ counts }) => counts)),
    sourceFrom: earliest(all.map(({ sourceFrom }) => sourceFrom)),
  };
}

export function earliest(times: readonly (Seconds | null)[]): Seconds | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** Null where one is not known. */
export function sumOfKnown(numbers: readonly (number | null)[]): number | null {
  const known = numbers.filter((n) => n !== null);
  return known.length < numbers.length ? null : known.reduce((sum, n) => sum + n, 0);
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
    restored: total((count) => count.restored),
    purged: sumOfKnown(counts.map(({ purged }) => purged)),
    skipped,
  };
}
