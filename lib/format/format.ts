import type { FormatName, TraceVersion } from '../config/choices.ts';
import type { Column, Table } from '../tables/table.ts';
import type { Seconds } from '../core/time.ts';

/** A way to write tables. */
export interface Format {
  readonly name: FormatName;
  readonly version: TraceVersion;
  /** Names of a table's columns, in order. */
  columns(
    columns: readonly Pick<
      Column<never>,
      'csv' | 'jsonl' | 'parquet' | 'inProperties' | 'property' | 'inCsv'
    >[],
  ): string[];
  /**
   * Takes masked rows in order, yields what goes into the file before compression.
   *
   * @param epoch where seconds count from
   * @param about what the file is, by name; only Parquet has a place for it
   */
  encoder<Row>(
    table: Pick<Table<never, Row>, 'name' | 'columns'>,
    epoch: Seconds,
    about?: Readonly<Record<string, string>>,
  ): Encoder<Row>;
}

/** Pieces of a file, in order; a piece may be empty. */
export type Piece = string | Uint8Array;

export interface Encoder<Row> {
  /** What precedes the first row. */
  readonly head: Piece;
  rows(rows: readonly Row[]): Piece;
  /** What follows the last row. To be called once, at the end. */
  tail(): Piece;
}
