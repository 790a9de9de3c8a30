import { StoreError } from '../errors.ts';
import { type Bucket, type Expected, readText, remove, writeText } from '../store/bucket.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Manifest } from './manifest.ts';

/*
 * S3 swaps one object at a time, and a drop is several: data objects, manifest, checkpoint. One small object per
 * window, the claim, makes them one. It says who may publish the window, and later what was decided:
 *
 * 1. A run writes its id into the claim. A later run may take the claim over at any time, be the earlier one dead
 *    or merely slow; nobody has to wait for a lease.
 * 2. The run looks at the data objects, extracts, makes sure that the claim is still its own, and replaces the
 *    data objects only if they are as it found them. So a run that lost its claim cannot touch what a later
 *    one wrote: either it saw that object, and then the lost claim too, or the write is refused.
 * 3. The run swaps its claim for a committed one, which holds manifest and checkpoint. From here on there is no
 *    taking over: whoever comes by finishes the work, writing both from the claim, and removes it.
 */

export interface Claim {
  /** The invocation that may write. */
  readonly run: string;
  readonly committed: Committed | null;
}

export interface Committed {
  readonly manifest: Manifest;
  readonly checkpoint: Checkpoint;
}

export interface HeldClaim {
  readonly claim: Claim;
  readonly expected: Expected;
}

export async function readClaim(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<HeldClaim | undefined> {
  const stored = await readText(bucket, key, signal);
  if (stored === undefined) return undefined;
  try {
    return { claim: JSON.parse(stored.text) as Claim, expected: { etag: stored.etag } };
  } catch (error) {
    throw new StoreError(`claim: ${key}: not JSON`, { cause: error });
  }
}

/** Takes the window for `run`. Undefined where another run was quicker. */
export function takeClaim(
  bucket: Bucket,
  key: string,
  run: string,
  found: HeldClaim | undefined,
  signal: AbortSignal,
): Promise<HeldClaim | undefined> {
  return swapClaim(bucket, key, found?.expected ?? 'absent', { run, committed: null }, signal);
}

/** Decides that the drop is what `committed` says. Undefined where the claim is no longer ours. */
export function commitClaim(
  bucket: Bucket,
  key: string,
  held: HeldClaim,
  committed: Committed,
  signal: AbortSignal,
): Promise<HeldClaim | undefined> {
  return swapClaim(bucket, key, held.expected, { run: held.claim.run, committed }, signal);
}

export async function isStillHeld(
  bucket: Bucket,
  key: string,
  held: HeldClaim,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await readClaim(bucket, key, signal);
  return found !== undefined && found.claim.run === held.claim.run && found.claim.committed === null;
}

export function releaseClaim(bucket: Bucket, key: string, signal: AbortSignal): Promise<void> {
  return remove(bucket, key, signal);
}

async function swapClaim(
  bucket: Bucket,
  key: string,
  expected: Expected,
  claim: Claim,
  signal: AbortSignal,
): Promise<HeldClaim | undefined> {
  const etag = await writeText(bucket, key, JSON.stringify(claim), expected, signal);
  return etag === undefined ? undefined : { claim, expected: { etag } };
}
