import { StoreError } from '../core/errors.ts';
import { advanceCheckpoint } from './checkpoint.ts';
import type { DecidedClaim } from './claim.ts';
import { type Manifest, companionsOf, filesOf } from './manifest.ts';
import type { Place } from './place.ts';

export type WindowResult =
  | { readonly status: 'published'; readonly manifest: Manifest }
  /** Another run published it first. */
  | { readonly status: 'alreadyPublished' };

/**
 * Makes a decided drop whole: removes objects that an earlier run wrote and this drop does not list, then writes the
 * manifest, then moves the checkpoint if there is one. Any run may do this, any number of times. The run that moves the
 * checkpoint reports the window as published.
 *
 * @param run of the invocation that finishes; another one may have decided
 */
export async function finishWindow(place: Place, run: string, claim: DecidedClaim): Promise<WindowResult> {
  const { store, layout, signal } = place;
  const { window, tried, decided } = claim;
  const manifest = JSON.parse(decided.manifest) as Manifest;
  const key = layout.manifest(window);

  // Athena reads whole folders: a file in a format that an earlier run had set would count every row twice.
  const listed = new Set(keysOf(manifest));
  for (const old of tried) if (!listed.has(old)) await store.remove(old, signal);

  if ((await store.writeText(key, decided.manifest, 'absent', signal)) === undefined) {
    const found = await store.readText(key, signal);
    if (found?.text !== decided.manifest) {
      throw new StoreError(
        `manifest: ${key}: is not the one that ${decided.checkpoint === null ? layout.windowClaim(window) : layout.claim} decided; ` +
          'remove it, and run again',
      );
    }
  }
  if (decided.checkpoint === null) return { status: 'published', manifest };
  const wasUs = await advanceCheckpoint(place, run, decided.checkpoint);
  return wasUs ? { status: 'published', manifest } : { status: 'alreadyPublished' };
}

/** Keys of all objects that a manifest lists. */
export function keysOf(manifest: Pick<Manifest, 'tables' | 'datapackage' | 'report'>): string[] {
  return [...filesOf(manifest), ...companionsOf(manifest)].map(({ key }) => key);
}
