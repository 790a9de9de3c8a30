import { InputError } from '../core/errors.ts';

/** @throws InputError for a table that the source has no reader for */
export function readerOf<R>(readers: Readonly<Record<string, R>>, table: string, source: string): R {
  const reader = readers[table];
  if (reader !== undefined) return reader;
  throw new InputError(
    `tables: got ${table}, which cannot be read from ${source}; accepted: ${Object.keys(readers).join(', ')}`,
  );
}
