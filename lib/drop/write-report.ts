import { posix } from 'node:path';
import { sha256 } from '../core/bytes.ts';
import type { Window } from '../core/window.ts';
import type { Manifest } from './manifest.ts';
import type { Place } from './place.ts';
import type { Watch } from './watch.ts';

/**
 * Looks at the present page of a drop, before any row is read.
 *
 * @returns a function that writes the page from the manifest, and gives the manifest's entry for it; undefined if another
 *   run has changed the page meanwhile
 */
export async function openReport(
  { store, layout, signal }: Place,
  window: Window,
  watch: Watch,
): Promise<(manifest: Manifest) => Promise<Manifest['report'] | undefined>> {
  const key = layout.report(window);
  const expected = await store.expectedNow(key, signal);
  return async (manifest) => {
    const folder = posix.dirname(key);
    const page = watch.page(manifest, {
      index: posix.relative(folder, layout.index),
      manifest: posix.relative(folder, layout.manifest(window)),
    });
    const version = await store.writeText(key, page, expected, signal, 'text/html; charset=utf-8');
    if (version === undefined) return undefined;
    return { key, bytes: Buffer.byteLength(page), sha256: sha256(page) };
  };
}
