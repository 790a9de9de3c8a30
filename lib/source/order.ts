import type { Batch, Outcome } from './source.ts';

/**
 * Sorts a reader's batches; equal rows keep their order. Holds only rows that the watermark has not passed: a few
 * minutes of events, for a reader that follows the primary key.
 *
 * @param onOutcome told of an outcome that comes before the end
 */
export async function* inOrder<Row, R>(
  batches: AsyncGenerator<Batch<Row>, R, void>,
  order: (row: Row) => number,
  onOutcome?: (outcome: Outcome) => void,
): AsyncGenerator<readonly Row[], R, void> {
  const byOrder = (a: Row, b: Row): number => order(a) - order(b);
  let held: Row[] = [];
  try {
    for (;;) {
      const next = await batches.next();
      if (next.done === true) {
        if (held.length > 0) yield held.toSorted(byOrder);
        return next.value;
      }
      const { rows, watermark, outcome } = next.value;
      if (outcome !== undefined) onOutcome?.(outcome);
      held = held.length === 0 ? [...rows] : held.concat(rows);
      const ready = held.filter((row) => order(row) < watermark);
      held = ready.length === held.length ? [] : held.filter((row) => order(row) >= watermark);
      if (ready.length > 0) yield ready.toSorted(byOrder);
    }
  } finally {
    // A consumer that fails ends only this generator; the source still has connections to close.
    await batches.return(undefined as never);
  }
}
