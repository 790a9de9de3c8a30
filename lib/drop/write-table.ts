import { inGroups } from '../core/collections/in-groups.ts';
import type { Encoder, Piece } from '../format/format.ts';
import type { Outcome } from '../source/source.ts';
import type { Transform } from '../transform/transform.ts';

/** Rows of a window in order, and the outcome of reading them. */
export type OrderedRows<Row> = AsyncGenerator<readonly Row[], Outcome, void>;

/** A file that is being written. */
export interface Output<Row> {
  readonly encoder: Encoder<Row>;
  readonly object: {
    /** Takes the next piece; returns once there is room for more, so that memory stays flat. */
    write(piece: Piece): Promise<void>;
  };
}

export interface WrittenTable {
  readonly outcome: Outcome;
  /** In each file. */
  readonly rows: number;
}

/** So few that the garbage collector does not have to move their masked copies and lines. */
const ROWS_AT_ONCE = 250;

/**
 * Writes one table: transforms, encodes and writes what its reader yields.
 *
 * @param onRows called with all masked rows
 */
export async function writeTable<Raw, Row>(
  rows: OrderedRows<Raw>,
  transform: Transform<Raw, Row>,
  outputs: readonly Output<Row>[],
  signal: AbortSignal,
  onRows: (rows: readonly Row[]) => void = () => undefined,
): Promise<WrittenTable> {
  const write = async (pieceOf: (encoder: Encoder<Row>) => Piece): Promise<void> => {
    for (const { encoder, object } of outputs) {
      const piece = pieceOf(encoder);
      if (piece.length > 0) await object.write(piece);
    }
  };
  let count = 0;
  try {
    await write(({ head }) => head);
    for (;;) {
      const next = await rows.next();
      signal.throwIfAborted();
      if (next.done === true) {
        await write((encoder) => encoder.tail());
        return { outcome: next.value, rows: count };
      }
      for (const some of inGroups(next.value, ROWS_AT_ONCE)) {
        const masked = transform.apply(some);
        count += masked.length;
        onRows(masked);
        await write((encoder) => encoder.rows(masked));
      }
    }
  } finally {
    await rows.return(undefined as never);
  }
}
