import { sha256 } from '../core/bytes.ts';
import type { Companion } from './manifest.ts';
import type { Place } from './place.ts';

/**
 * Looks at an object of a drop that holds no rows, before any row is read.
 *
 * @returns a function that writes the object, and gives the manifest's entry for it; undefined if another run has changed
 *   the object meanwhile
 */
export async function openCompanion(
  { store, signal }: Place,
  key: string,
  contentType: string,
): Promise<(text: string) => Promise<Companion | undefined>> {
  const expected = await store.expectedNow(key, signal);
  return async (text) => {
    const version = await store.writeText(key, text, expected, signal, contentType);
    if (version === undefined) return undefined;
    return { key, bytes: Buffer.byteLength(text), sha256: sha256(text) };
  };
}
