import { isDeepStrictEqual } from 'node:util';
import { type Committed, type FoundClaim, readClaim } from '../drop/claim.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Manifest } from '../drop/manifest.ts';
import { type DropResult, isWhole, publish } from '../drop/publish.ts';
import { SupersededError } from '../errors.ts';
import { readText, remove } from '../store/bucket.ts';
import type { Window } from '../window.ts';
import { isOf } from './replacement.ts';

interface Finished extends FoundClaim {
  /** What was finished, where the window is done with that. */
  readonly published?: Manifest;
}

/**
 * Finishes what somebody decided and died.
 *
 * @param replacement where what is published is to be replaced, unless it is of that replacement
 * @returns the claim as it was found, if it is still there
 */
export async function finishDecided(
  invocation: Invocation,
  window: Window,
  replacement: string | undefined,
): Promise<Finished | undefined> {
  const { bucket, layout, signal } = invocation;
  const key = layout.windowClaim(window);
  const found = await readClaim(bucket, key, signal);
  const committed = found?.claim.committed ?? null;
  if (found === undefined || committed === null) return found;
  const out = await readText(bucket, layout.manifest(window), signal);
  if (isDeepStrictEqual(out?.json(), committed.manifest)) {
    await forget(invocation, key, found);
    return undefined;
  }
  if (await isWhole(invocation, committed.manifest)) {
    await publishDecided(invocation, window, committed);
    if (replacement === undefined || isOf(committed.manifest, replacement)) {
      await forget(invocation, key, found);
      return { ...found, published: committed.manifest };
    }
  }
  return found;
}

/**
 * Publishes what was decided. A manifest that is out all the same is that of an earlier run, and its writing arrived
 * late, after it had been removed: it gives way as long as the decision stands.
 */
export async function publishDecided(
  invocation: Invocation,
  window: Window,
  committed: Committed,
): Promise<DropResult> {
  const { bucket, layout, signal } = invocation;
  const key = layout.manifest(window);
  for (;;) {
    try {
      return await publish(invocation, window, committed);
    } catch (error) {
      if (!(error instanceof SupersededError)) throw error;
      // In this order: whoever makes another one takes the claim over first.
      const stale = await readText(bucket, key, signal);
      const claim = (await readClaim(bucket, layout.windowClaim(window), signal))?.claim;
      const stands = claim?.committed?.manifest.run === committed.manifest.run;
      if (!stands) throw error;
      const isOurs = (stale?.json() as Manifest | undefined)?.run === committed.manifest.run;
      if (stale !== undefined && !isOurs) await remove(bucket, key, signal, stale.etag);
    }
  }
}

/** Removes a claim that is done with, unless another run has taken it over. */
export async function forget(
  { bucket, signal }: Invocation,
  key: string,
  { expected }: FoundClaim,
): Promise<void> {
  if (expected !== 'absent') await remove(bucket, key, signal, expected.etag);
}
