import * as z from 'zod/mini';
import { StoreError, SupersededError } from '../errors.ts';
import { type Bucket, type Expected, readText, writeText } from '../store/bucket.ts';
import { iso } from '../time.ts';
import { type Window, windowText } from '../window.ts';
import { type Checkpoint, CheckpointFields } from './checkpoint.ts';
import type { Manifest } from './manifest.ts';

/*
 * S3 swaps one object at a time, and a drop is several: data objects, manifest, checkpoint. One small object per
 * cloud, the claim, makes them one. It says which run may publish, and later what was decided:
 *
 * 1. A run writes its id and its window into the claim. A later run may take the claim over at any time, be the
 *    earlier one dead or merely slow; nobody has to wait for a lease.
 * 2. The run looks at the data objects, extracts, makes sure that the claim is still its own, and replaces the
 *    data objects only if they are as it found them. So a run that lost its claim cannot touch what a later
 *    one wrote: either it saw that object, and then the lost claim too, or the write is refused.
 * 3. The run swaps its claim for a committed one, which holds manifest and checkpoint. Only now is the drop decided,
 *    and whoever comes by finishes the work, writing both from the claim, before anything else.
 *
 * The claim stays until the next run takes it over: the checkpoint tells whether what it holds is done.
 *
 * A backfill works on many windows at once, so it has a claim for each window instead, and goes through the same
 * steps. That a backfill and the schedule never write one window both rests on their order: each takes its own claim
 * first and looks at the other's then. So of two that meet at least one sees the other; the schedule takes the
 * window's claim over, as a later run would (`window-claim.ts`), and the backfill leaves the window to the schedule.
 */

export interface Claim {
  /** The invocation that may write. */
  readonly run: string;
  readonly window: { readonly start: string; readonly end: string };
  readonly committed: Committed | null;
  /** Of a replacement: how many events the window's drop has that finished in it. That drop may be gone by now. */
  readonly replaces?: number;
}

export interface Committed {
  readonly manifest: Manifest;
  /** Null for a window of a backfill, which moves none. */
  readonly checkpoint: Checkpoint | null;
}

export interface FoundClaim {
  readonly claim: Claim;
  readonly expected: Expected;
}

const Stored = z.strictObject({
  claimVersion: z.literal(1),
  run: z.string(),
  window: z.strictObject({ start: z.string(), end: z.string() }),
  replaces: z.optional(z.int()),
  committed: z.nullable(
    z.strictObject({
      manifest: z.looseObject({ manifestVersion: z.literal(1) }),
      checkpoint: z.nullable(CheckpointFields),
    }),
  ),
});

/** @throws StoreError where the object is not a claim of this version */
export async function readClaim(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<FoundClaim | undefined> {
  const stored = await readText(bucket, key, signal);
  if (stored === undefined) return undefined;
  const parsed = z.safeParse(Stored, stored.json());
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.');
    throw new StoreError(
      `claim: ${key}: ${field}: not what version 1 wrote; was it edited, or made by a newer one?`,
    );
  }
  const { run, window, committed, replaces } = parsed.data;
  return {
    claim: {
      run,
      window,
      committed: committed as Committed | null,
      ...(replaces === undefined ? {} : { replaces }),
    },
    expected: { etag: stored.etag },
  };
}

/** Takes the claim for a run and its window. Undefined where another run was quicker. */
export function takeClaim(
  bucket: Bucket,
  key: string,
  run: string,
  window: Window,
  found: FoundClaim | undefined,
  signal: AbortSignal,
  replaces?: number,
): Promise<FoundClaim | undefined> {
  const times = { start: iso(window.start), end: iso(window.end) };
  const claim = { run, window: times, ...(replaces === undefined ? {} : { replaces }), committed: null };
  return swap(bucket, key, found?.expected ?? 'absent', claim, signal);
}

export function superseded(window: Window): SupersededError {
  return new SupersededError(`window ${windowText(window)}: another invocation has taken it over`);
}

/** Decides that the drop is what `committed` says. Undefined where the claim is no longer ours. */
export function commitClaim(
  bucket: Bucket,
  key: string,
  held: FoundClaim,
  committed: Committed,
  signal: AbortSignal,
): Promise<FoundClaim | undefined> {
  return swap(bucket, key, held.expected, { ...held.claim, committed }, signal);
}

export async function isStillHeld(
  bucket: Bucket,
  key: string,
  { claim }: FoundClaim,
  signal: AbortSignal,
): Promise<boolean> {
  const now = (await readClaim(bucket, key, signal))?.claim;
  return now?.run === claim.run && now.window.start === claim.window.start && now.committed === null;
}

async function swap(
  bucket: Bucket,
  key: string,
  expected: Expected,
  claim: Claim,
  signal: AbortSignal,
): Promise<FoundClaim | undefined> {
  const text = JSON.stringify({ claimVersion: 1, ...claim });
  const etag = await writeText(bucket, key, text, expected, signal);
  return etag === undefined ? undefined : { claim, expected: { etag } };
}
