import type { Transform } from 'node:stream';
import type { MaskedEvent } from '../mask/masked-event.ts';
import type { Seconds } from '../time.ts';
import type { TraceVersion } from './columns.ts';
import { csv } from './csv.ts';
import { jsonLines } from './json-lines.ts';
import type { OnText } from './pieces.ts';

export const FORMAT_NAMES = ['csv', 'jsonl', 'parquet'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

/** Where a format's files lie and what their names end with. A table of Athena's is a folder, so each format has one. */
export const FILES: Readonly<Record<FormatName, { readonly folder: string; readonly extension: string }>> = {
  csv: { folder: 'instance_events', extension: 'csv.gz' },
  jsonl: { folder: 'instance_events_jsonl', extension: 'jsonl.gz' },
  parquet: { folder: 'instance_events_parquet', extension: 'parquet' },
};

/** A way to write a trace. Takes masked events in order, yields what goes into the file before compression. */
export interface Format {
  readonly name: FormatName;
  readonly version: TraceVersion;
  readonly columns: readonly string[];
  readonly contentType: string;
  /**
   * @param epoch where START_SEC and FINISH_SEC count from
   * @param onText told every text that the file is joined from, see `tellTexts`; nothing where the file is no text
   */
  encoder(epoch: Seconds, onText?: OnText): Encoder;
  /** How the file is compressed as a whole; passes on what compresses its parts itself. */
  compressor(): Transform;
}

/** Pieces of a file, in order; a piece may be empty. */
export type Piece = string | Uint8Array;

export interface Encoder {
  /** What precedes the first row. */
  readonly head: Piece;
  rows(events: readonly MaskedEvent[]): Piece;
  /** What follows the last row. To be called once, at the end. */
  tail(): Piece;
}

/**
 * Loads a format's writer, with the library that it needs.
 *
 * @param version of CSV; the other formats have one form only
 */
export async function loadFormat(name: FormatName, version: TraceVersion): Promise<Format> {
  switch (name) {
    case 'csv':
      return csv(version);
    case 'jsonl':
      return jsonLines;
    case 'parquet':
      return (await import('./parquet.ts')).parquet;
  }
}
