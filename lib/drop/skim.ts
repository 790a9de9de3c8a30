import type { Window } from '../window.ts';
import { type StoredCheckpoint, advanceCheckpoint, hasMoved } from './checkpoint.ts';
import { type FoundClaim, superseded, takeClaim } from './claim.ts';
import type { Invocation } from './invocation.ts';

/**
 * Moves the checkpoint over a window that was published without it (by a backfill): reads the window only to know
 * what the next one needs. Events that turn up late wait for the next window.
 *
 * @returns false where the checkpoint has moved by itself: then another invocation has just published the window
 * @throws SupersededError where another invocation took the claim over
 */
export async function skimWindow(
  invocation: Invocation,
  window: Window,
  from: StoredCheckpoint,
  claim: FoundClaim | undefined,
): Promise<boolean> {
  const { run, source, settings, bucket, layout, signal } = invocation;
  // So that a run that is about to commit an overlapping window, of another length, cannot.
  const held = await takeClaim(bucket, layout.claim, run, window, claim, signal);
  if (held === undefined) throw superseded(window);
  if (await hasMoved(bucket, layout.checkpoint, from, signal)) return false;

  const { openHorizonSeconds, settleSeconds } = settings;
  const { state } = from.checkpoint.source;
  const request = { window, state, openHorizonSeconds, settleSeconds, signal };
  const batches = source.read({ ...request, holdLate: true, whole: true });
  for (;;) {
    const next = await batches.next();
    if (next.done !== true) continue;
    const checkpoint = { window, source: { kind: source.kind, state: next.value.state } };
    await advanceCheckpoint(bucket, layout.checkpoint, run, checkpoint, signal);
    return true;
  }
}
