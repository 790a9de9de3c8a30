import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { SourceError, StoreError } from '../errors.ts';
import { readText, writeText } from '../store/bucket.ts';
import { type Window, windowText } from '../window.ts';
import { type StoredCheckpoint, advanceCheckpoint, hasMoved } from './checkpoint.ts';
import { type Committed, type FoundClaim, commitClaim, isStillHeld, superseded, takeClaim } from './claim.ts';
import type { Invocation } from './invocation.ts';
import { type Manifest, makeManifest } from './manifest.ts';
import { type WrittenData, writeData } from './write-data.ts';

export type DropResult =
  | { readonly status: 'published'; readonly manifest: Manifest }
  /** By another invocation, while this one was about to. */
  | { readonly status: 'alreadyPublished' };

/** A lost connection is tried again this often before the run fails. */
const ATTEMPTS = 3;

/**
 * Publishes one window from end to end. Data objects, then the manifest, then the checkpoint; a crash anywhere is
 * repaired by the next run (`claim.ts` says how).
 *
 * @param from the checkpoint that the window continues
 * @param claim as it was found after everything decided before was finished
 * @throws SupersededError where another invocation took the claim over
 */
export async function dropWindow(
  invocation: Invocation,
  window: Window,
  from: StoredCheckpoint | undefined,
  claim: FoundClaim | undefined,
): Promise<DropResult> {
  const { bucket, layout, run, signal } = invocation;
  const held = await takeClaim(bucket, layout.claim, run, window, claim, signal);
  if (held === undefined) throw superseded(window);
  // Whoever held the claim before may have published meanwhile. From here on only we can.
  if (await isOutdated(invocation, window, from)) return { status: 'alreadyPublished' };

  const assertHeld = async (): Promise<void> => {
    if (!(await isStillHeld(bucket, layout.claim, held, signal))) throw superseded(window);
    if (await isOutdated(invocation, window, from)) throw superseded(window);
  };
  const data = await writeWithRetries(invocation, window, from, assertHeld);
  await assertHeld();
  const committed = decide(invocation, window, data);
  if ((await commitClaim(bucket, layout.claim, held, committed, signal)) === undefined)
    throw superseded(window);
  return publish(invocation, committed);
}

/**
 * Writes what was decided: the manifest, then the checkpoint. Every step may be repeated, also by another
 * invocation; the one that moves the checkpoint answers for the window.
 */
export async function publish(
  { bucket, layout, run, signal }: Invocation,
  { manifest, checkpoint }: Committed,
): Promise<DropResult> {
  const key = layout.manifest(checkpoint.window);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  if ((await writeText(bucket, key, text, 'absent', signal)) === undefined) {
    const found = await readText(bucket, key, signal);
    if (!isDeepStrictEqual(found?.json(), JSON.parse(text))) {
      throw new StoreError(`${key}: holds another manifest than the one that was decided on; remove it`);
    }
  }
  const wasUs = await advanceCheckpoint(bucket, layout.checkpoint, run, checkpoint, signal);
  return wasUs ? { status: 'published', manifest } : { status: 'alreadyPublished' };
}

export async function isPublished({ bucket, layout, signal }: Invocation, window: Window): Promise<boolean> {
  return (await readText(bucket, layout.manifest(window), signal)) !== undefined;
}

async function isOutdated(
  invocation: Invocation,
  window: Window,
  from: StoredCheckpoint | undefined,
): Promise<boolean> {
  const { bucket, layout, signal } = invocation;
  return (await hasMoved(bucket, layout.checkpoint, from, signal)) || (await isPublished(invocation, window));
}

async function writeWithRetries(
  invocation: Invocation,
  window: Window,
  from: StoredCheckpoint | undefined,
  assertHeld: () => Promise<void>,
): Promise<WrittenData> {
  for (let attempt = 1; ; attempt++) {
    try {
      const data = await writeData(invocation, window, from?.checkpoint.source.state, assertHeld);
      if (data !== undefined) return data;
      // A run that lost its claim to this one has finished an object late, or S3's answer to ours was lost.
      await assertHeld();
      if (attempt >= ATTEMPTS) {
        throw new StoreError(
          `window ${windowText(window)}: its data objects were changed each time we wrote them`,
        );
      }
    } catch (error) {
      const mayHelp = error instanceof SourceError && error.transient && attempt < ATTEMPTS;
      if (!mayHelp) throw error;
      invocation.log('the source failed, trying again', { attempt, reason: error.message });
      await delay(attempt * attempt * (500 + Math.random() * 1000), undefined, { signal: invocation.signal });
    }
  }
}

function decide({ settings, source, masking }: Invocation, window: Window, data: WrittenData): Committed {
  const created = Math.floor(Date.now() / 1000);
  return {
    manifest: makeManifest({ settings, source: source.kind, masking, window, ...data, created }),
    checkpoint: { window, source: { kind: source.kind, state: data.outcome.state } },
  };
}
