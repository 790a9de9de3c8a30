import { posix } from 'node:path';
import type { Window } from '../core/window.ts';
import type { Companion, Manifest } from './manifest.ts';
import { windowOfKey } from './published.ts';
import type { Invocation } from './invocation.ts';
import type { Place } from './place.ts';
import type { Watch } from './watch.ts';
import { openCompanion } from './write-companion.ts';

/**
 * Looks at the present page of a drop, before any row is read.
 *
 * @returns a function that writes the page from the manifest, and gives the manifest's entry for it; undefined if another
 *   run has changed the page meanwhile
 */
export async function openReport(
  place: Place & Pick<Invocation, 'settings'>,
  window: Window,
  watch: Watch,
): Promise<(manifest: Manifest) => Promise<Companion | undefined>> {
  const { layout, settings } = place;
  const key = layout.report(window);
  const folder = posix.dirname(key);
  const to = (other: string): string => posix.relative(folder, other);
  const write = await openCompanion(place, key, 'text/html; charset=utf-8');
  return (manifest) => {
    const isFirst = window.start === settings.release?.start;
    const before = isFirst ? undefined : windowBefore(manifest, window);
    return write(
      watch.page(manifest, {
        index: to(layout.index),
        manifest: to(layout.manifest(window)),
        ...(before === undefined ? {} : { previous: to(layout.report(before)) }),
        next: to(layout.report({ start: window.end, end: 2 * window.end - window.start })),
        to,
      }),
    );
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
