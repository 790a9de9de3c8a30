import * as z from 'zod/mini';
import { StoreError } from '../core/errors.ts';

/**
 * Reads what a reader left in the checkpoint, or in a plan.
 *
 * @param part of the checkpoint, for the error
 * @param problem what is wrong with anything else: `not what a database source wrote`
 * @throws StoreError where the checkpoint holds something else
 */
export function readStored<T extends z.core.$ZodType>(
  schema: T,
  state: unknown,
  part: string,
  problem: string,
): z.output<T> {
  const parsed = z.safeParse(schema, state);
  if (parsed.success) return parsed.data;
  const path = [part, ...(parsed.error.issues[0]?.path ?? [])].join('.');
  throw new StoreError(`checkpoint: ${path}: ${problem}`);
}
