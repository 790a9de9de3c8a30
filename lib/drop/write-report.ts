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
  const { layout } = place;
  const key = layout.report(window);
  const folder = posix.dirname(key);
  const to = (other: string): string => posix.relative(folder, other);
  const write = await openCompanion(place, key, 'text/html; charset=utf-8');
  return async (manifest) => {
    const [before, after] = await neighboursOf(place, manifest, window);
    return write(
      watch.page(manifest, {
        index: to(layout.index),
        manifest: to(layout.manifest(window)),
        ...(before === undefined ? {} : { previous: to(layout.report(before)) }),
        ...(after === undefined ? {} : { next: to(layout.report(after)) }),
        to,
      }),
    );
  };
}

/**
 * The windows of the pages before and after. Before a scheduled drop comes what its manifest says; after it one will come.
 * Before one of a backfill there may be none yet: windows are made in order.
 */
async function neighboursOf(
  { store, layout, settings, signal }: Place & Pick<Invocation, 'settings'>,
  { previous }: Manifest,
  { start, end }: Window,
): Promise<readonly [Window | undefined, Window | undefined]> {
  const before = { start: 2 * start - end, end: start };
  const after = { start: end, end: 2 * end - start };
  if (previous !== undefined) return [previous === null ? undefined : windowOfKey(previous.key), after];
  const range = settings.release?.range;
  if (range !== undefined)
    return [start === range.start ? undefined : before, end === range.end ? undefined : after];
  const isThere = (await store.expectedNow(layout.report(before), signal)) !== 'absent';
  return [isThere ? before : undefined, after];
}
