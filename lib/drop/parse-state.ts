import * as z from 'zod/mini';
import { StoreError } from '../core/errors.ts';

/**
 * Reads an object under `state/`.
 *
 * @param what it is, for the message: `claim`
 * @param value of its JSON; undefined if it is none
 * @throws StoreError naming the field that this version has not written
 */
export function parseState<T extends z.ZodMiniType>(
  what: string,
  key: string,
  value: unknown,
  schema: T,
  version: number,
): z.output<T> {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.');
  throw new StoreError(
    `${what}: ${key}: ${field}: not what version ${version} wrote; was it edited, or made by a newer one?`,
  );
}
