import { setTimeout as delay } from 'node:timers/promises';
import { SourceError, SupersededError } from '../errors.ts';
import { readText, writeText } from '../store/bucket.ts';
import { type Window, windowText } from '../window.ts';
import { type Checkpoint, advanceCheckpoint } from './checkpoint.ts';
import { type Committed, commitClaim, isStillHeld, readClaim, releaseClaim, takeClaim } from './claim.ts';
import type { Invocation } from './context.ts';
import { type Manifest, makeManifest } from './manifest.ts';
import { type WrittenData, writeData } from './write-data.ts';

export type DropResult =
  /** Published by this invocation; `resumed` where an earlier one had decided it and was cut off. */
  | { readonly status: 'published'; readonly manifest: Manifest; readonly resumed: boolean }
  | { readonly status: 'alreadyPublished' };

/** A lost connection is tried again this often before the run fails. */
const ATTEMPTS = 3;

/**
 * Publishes one window from end to end, or finds that it is published. Data objects, then the manifest, then the
 * checkpoint; a crash anywhere is repaired by calling it again (`claim.ts` says how).
 *
 * @param from the checkpoint that the window continues
 * @throws SupersededError where another invocation took the window over
 */
export async function dropWindow(
  invocation: Invocation,
  window: Window,
  from: Checkpoint | undefined,
): Promise<DropResult> {
  const { bucket, layout, run, signal } = invocation;
  const key = layout.claim(window);
  const found = await readClaim(bucket, key, signal);
  if (found !== undefined && found.claim.committed !== null) {
    return publish(invocation, window, found.claim.committed, { resumed: true });
  }
  if (await isPublished(invocation, window)) return { status: 'alreadyPublished' };

  const held = await takeClaim(bucket, key, run, found, signal);
  if (held === undefined) throw superseded(window);
  // The owner before may have published and let go between the two looks.
  if (await isPublished(invocation, window)) {
    await releaseClaim(bucket, key, signal);
    return { status: 'alreadyPublished' };
  }
  const assertHeld = async (): Promise<void> => {
    if (!(await isStillHeld(bucket, key, held, signal))) throw superseded(window);
  };
  const data = await writeWithRetries(invocation, window, from, assertHeld);
  const committed = decide(invocation, window, data);
  if ((await commitClaim(bucket, key, held, committed, signal)) === undefined) throw superseded(window);
  return publish(invocation, window, committed, { resumed: false });
}

/**
 * Manifest, checkpoint, and the claim goes. Every step may be repeated, also by another invocation; the one whose
 * step it was that moved the checkpoint answers for the window.
 */
async function publish(
  { bucket, layout, run, signal }: Invocation,
  window: Window,
  { manifest, checkpoint }: Committed,
  { resumed }: { resumed: boolean },
): Promise<DropResult> {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeText(bucket, layout.manifest(window), text, 'absent', signal);
  const wasUs = await advanceCheckpoint(bucket, layout.checkpoint, run, checkpoint, signal);
  await releaseClaim(bucket, layout.claim(window), signal);
  return wasUs ? { status: 'published', manifest, resumed } : { status: 'alreadyPublished' };
}

/** Removes the claim of a window that is published, where a run was cut off just before it would have done so. */
export async function tidyUp({ bucket, layout, signal }: Invocation, window: Window): Promise<void> {
  const key = layout.claim(window);
  const found = await readClaim(bucket, key, signal);
  if (found !== undefined && found.claim.committed !== null) await releaseClaim(bucket, key, signal);
}

async function isPublished({ bucket, layout, signal }: Invocation, window: Window): Promise<boolean> {
  return (await readText(bucket, layout.manifest(window), signal)) !== undefined;
}

async function writeWithRetries(
  invocation: Invocation,
  window: Window,
  from: Checkpoint | undefined,
  assertHeld: () => Promise<void>,
): Promise<WrittenData> {
  for (let attempt = 1; ; attempt++) {
    try {
      const data = await writeData(invocation, window, from?.source.state, assertHeld);
      if (data !== undefined) return data;
      // A run that lost its claim to this one finished an object late. It cannot do so twice.
      await assertHeld();
      if (attempt >= ATTEMPTS) throw superseded(window);
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

function superseded(window: Window): SupersededError {
  return new SupersededError(
    `window ${windowText(window)}: another invocation has taken it over and publishes it`,
  );
}
