import type { Batch } from './source.ts';

/**
 * Puts a reader's batches in order, ties in the order in which they came. Holds back only what the watermark has not
 * passed: for a reader that goes by primary key, a few minutes of events.
 */
export async function* inOrder<Row, R>(
  batches: AsyncGenerator<Batch<Row>, R, void>,
  order: (row: Row) => number,
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
      const { rows, watermark } = next.value;
      held = held.length === 0 ? [...rows] : held.concat(rows);
      const ready = held.filter((row) => order(row) < watermark);
      held = ready.length === held.length ? [] : held.filter((row) => order(row) >= watermark);
      if (ready.length > 0) yield ready.toSorted(byOrder);
    }
  } finally {
    // A consumer that fails ends this generator only; the source has connections to close.
    await batches.return(undefined as never);
  }
}
