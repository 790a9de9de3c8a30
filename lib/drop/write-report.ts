import { posix } from 'node:path';
import { sha256 } from '../core/bytes.ts';
import type { Window } from '../core/window.ts';
import type { Manifest } from './manifest.ts';
import { windowOfKey } from './published.ts';
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
    const to = (other: string): string => posix.relative(folder, other);
    const before = windowBefore(manifest, window);
    const page = watch.page(manifest, {
      index: to(layout.index),
      manifest: to(layout.manifest(window)),
      ...(before === undefined ? {} : { previous: to(layout.report(before)) }),
      next: to(layout.report({ start: window.end, end: 2 * window.end - window.start })),
      to,
    });
    const version = await store.writeText(key, page, expected, signal, 'text/html; charset=utf-8');
    if (version === undefined) return undefined;
    return { key, bytes: Buffer.byteLength(page), sha256: sha256(page) };
  };
}

/**
 * The window of the drop before: of a scheduled one as its manifest says, else the neighbour of equal length. Undefined
 * for the first scheduled drop.
 */
function windowBefore({ previous }: Manifest, { start, end }: Window): Window | undefined {
  if (previous === null) return undefined;
  return previous === undefined ? { start: 2 * start - end, end: start } : windowOfKey(previous.key);
}
