import * as z from 'zod/mini';
import { parseInstant } from './time.ts';

/** An instant as it is stored, in ISO 8601; read as seconds. */
export const instantField = z.pipe(
  z.string().check(z.refine((text) => parseInstant(text) !== undefined, { error: 'an ISO 8601 instant' })),
  z.transform((text) => parseInstant(text) ?? Number.NaN),
);

/** A window as it is stored, by `isoWindow`. */
export const windowField = z
  .strictObject({ start: instantField, end: instantField })
  .check(z.refine(({ start, end }) => end > start, { error: 'a start before its end' }));
