import type { FormatName, TraceVersion } from '../config/choices.ts';
import { csv } from './csv.ts';
import type { Format } from './format.ts';
import { jsonLines } from './json-lines.ts';

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
