import type { Window } from '../window.ts';
import { type Checkpoint, advanceCheckpoint } from './checkpoint.ts';
import type { Invocation } from './invocation.ts';

/**
 * Moves the checkpoint over a window that was published without it (by a backfill): reads the window only to know
 * what the next one needs. Events that turn up late wait for the next window.
 */
export async function skimWindow(invocation: Invocation, window: Window, from: Checkpoint): Promise<void> {
  const { run, source, settings, bucket, layout, signal } = invocation;
  const { openHorizonSeconds, settleSeconds } = settings;
  const { state } = from.source;
  const batches = source.read({ window, state, openHorizonSeconds, settleSeconds, holdLate: true, signal });
  for (;;) {
    const next = await batches.next();
    if (next.done !== true) continue;
    const checkpoint = { window, source: { kind: source.kind, state: next.value.state } };
    await advanceCheckpoint(bucket, layout.checkpoint, run, checkpoint, signal);
    return;
  }
}
