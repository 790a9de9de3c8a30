import * as z from 'zod/mini';
import { SupersededError } from '../core/errors.ts';
import type { Expected } from '../store/store.ts';
import { windowField } from '../core/fields.ts';
import { type Window, isoWindow, windowText } from '../core/window.ts';
import { type Checkpoint, CheckpointFields } from './checkpoint.ts';
import { parseState } from './parse-state.ts';
import type { Place } from './place.ts';

/*
 * A store swaps one object at a time, and a drop is several: data objects, manifest, checkpoint. One small object,
 * the claim, makes them one. It says which run may publish, and later what was decided:
 *
 * 1. A run writes its id, its window and the keys that it is about to write into the claim. A later run may take an
 *    undecided claim over at any time, whether the earlier run is dead or slow. No run waits for a lease.
 * 2. The run looks at the data objects, extracts, makes sure that the claim is still its own, and replaces the
 *    data objects only if they are as it found them. So a run that lost its claim cannot touch what a later
 *    one wrote: either it saw that object, and then the lost claim too, or the write is refused.
 * 3. The run swaps its claim for a decided one, which holds the manifest's bytes and the next checkpoint. This is the
 *    commit point: every run that meets a decided claim finishes it, writing both from the claim (`finish.ts`).
 *
 * The schedule uses the same claim for every window; the checkpoint tells whether the decided drop in it is finished. Each
 * window of a backfill or release has a claim of its own, which is never deleted. A run whose claim was taken over ends:
 * it never takes the same claim again under the same id. `test/protocol` searches this protocol for errors.
 */

export interface Claim {
  /** The invocation that may write. */
  readonly run: string;
  readonly window: Window;
  /** Keys that this run, or one before it, may have written for the window. */
  readonly tried: readonly string[];
  readonly decided: Decided | null;
}

export interface Decided {
  /** The very bytes, so that every run that finishes the window writes the same. */
  readonly manifest: string;
  /** Null for a window of a backfill, which moves none. */
  readonly checkpoint: Checkpoint | null;
}

export type DecidedClaim = Claim & { readonly decided: Decided };

export function isDecided(claim: Claim): claim is DecidedClaim {
  return claim.decided !== null;
}

export interface FoundClaim {
  readonly claim: Claim;
  readonly expected: Expected;
}

const Stored = z.strictObject({
  claimVersion: z.literal(2),
  run: z.string(),
  window: windowField,
  tried: z.array(z.string()),
  decided: z.nullable(z.strictObject({ manifest: z.string(), checkpoint: z.nullable(CheckpointFields) })),
});

/** @throws StoreError if the object is not a claim of this version */
export async function readClaim(
  { store, signal }: Pick<Place, 'store' | 'signal'>,
  key: string,
): Promise<FoundClaim | undefined> {
  const stored = await store.readText(key, signal);
  if (stored === undefined) return undefined;
  const { claimVersion: _, ...claim } = parseState('claim', key, stored.json(), Stored, 2);
  return { claim, expected: { version: stored.version } };
}

/**
 * Takes the claim for a run and its window.
 *
 * @param found an undecided claim, or a decided one that is finished
 * @param keys that the run is about to write
 * @throws SupersededError if another run was quicker
 */
export async function takeClaim(
  place: Place,
  key: string,
  { run, window, keys }: { run: string; window: Window; keys: readonly string[] },
  found: FoundClaim | undefined,
): Promise<FoundClaim> {
  // This window must not clear away the keys of another.
  const isSame = found?.claim.decided === null && found.claim.window.start === window.start;
  const tried = [...new Set([...(isSame ? found.claim.tried : []), ...keys])];
  const held = await swap(place, key, found?.expected ?? 'absent', { run, window, tried, decided: null });
  if (held === undefined) throw superseded(window);
  return held;
}

/**
 * Decides that the drop is what `decided` says.
 *
 * @throws SupersededError if the claim is no longer this run's
 */
export async function decideClaim(
  place: Place,
  key: string,
  { claim, expected }: FoundClaim,
  decided: Decided,
): Promise<DecidedClaim> {
  const next = { ...claim, decided };
  if ((await swap(place, key, expected, next)) === undefined) throw superseded(claim.window);
  return next;
}

/** @throws SupersededError if the claim is no longer this run's */
export async function assertHeld(place: Place, key: string, { claim }: FoundClaim): Promise<void> {
  const now = (await readClaim(place, key))?.claim;
  const isHeld = now?.run === claim.run && now.window.start === claim.window.start && now.decided === null;
  if (!isHeld) throw superseded(claim.window);
}

export function superseded(window: Window): SupersededError {
  return new SupersededError(`window ${windowText(window)}: another run has taken it over`);
}

async function swap(
  { store, signal }: Place,
  key: string,
  expected: Expected,
  claim: Claim,
): Promise<FoundClaim | undefined> {
  const text = JSON.stringify({ claimVersion: 2, ...claim, window: isoWindow(claim.window) });
  const version = await store.writeText(key, text, expected, signal);
  return version === undefined ? undefined : { claim, expected: { version } };
}
