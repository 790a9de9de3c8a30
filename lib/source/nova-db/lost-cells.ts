import type { CellConnection } from '../../connection/connection.ts';
import { InputError } from '../../core/errors.ts';

/** A cell that is left out by mistake would be a silent hole in the trace. */
export function refuseLostCells(
  known: Iterable<string>,
  cells: readonly CellConnection[],
  retired: ReadonlySet<string>,
): void {
  const present = new Set(cells.map(({ cell }) => cell));
  const lost = [...known].find((cell) => !present.has(cell) && !retired.has(cell));
  if (lost === undefined) return;
  throw new InputError(
    `secret: cells: ${lost} is missing, which the last window had; ` +
      `accepted: all cells by the same names, or STAR_RETIRED_CELLS=${lost} if it is gone for good`,
  );
}
