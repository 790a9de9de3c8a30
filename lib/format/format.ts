import type { Transform } from 'node:stream';
import type { MaskedEvent } from '../mask/masked-event.ts';
import type { Seconds } from '../time.ts';
import { csv } from './csv.ts';
import { jsonLines } from './json-lines.ts';

export const FORMAT_NAMES = ['csv', 'jsonl'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

/** A way to write a trace. Takes masked events in order, yields what goes into the file before compression. */
export interface Format {
  readonly name: FormatName;
  readonly version: string;
  /** What follows the last dot but one of the key. */
  readonly extension: string;
  readonly columns: readonly string[];
  readonly contentType: string;
  /** @param epoch where START_SEC and FINISH_SEC count from */
  encoder(epoch: Seconds): Encoder;
  compressor(): Transform;
}

export interface Encoder {
  /** What precedes the first row. */
  readonly head: string;
  rows(events: readonly MaskedEvent[]): string;
}

const FORMATS: Readonly<Record<FormatName, Format>> = { csv, jsonl: jsonLines };

export function formatOf(name: FormatName): Format {
  return FORMATS[name];
}
