import { SourceError, StoreError } from '../errors.ts';
import { pause } from '../pause.ts';
import { inStartOrder } from '../source/order.ts';
import { remove } from '../store/bucket.ts';
import { type Window, windowKey, windowText } from '../window.ts';
import { type StoredCheckpoint, hasMoved } from './checkpoint.ts';
import { type Committed, type FoundClaim, commitClaim, isStillHeld, superseded, takeClaim } from './claim.ts';
import type { Invocation } from './invocation.ts';
import type { BackfillMark } from './manifest.ts';
import { type DropResult, isPublished, publish } from './publish.ts';
import { publishedWithin } from './published-windows.ts';
import { takeOverFromBackfill } from './window-claim.ts';
import type { OrderedEvents, Tally } from './pump.ts';
import { type WrittenData, writeData } from './write-data.ts';

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
  await refuseOverlap(invocation, window);
  const found = await takeOverFromBackfill(invocation, window);
  if (found === 'published') return { status: 'alreadyPublished' };

  const assertHeld = async (): Promise<void> => {
    if (!(await isStillHeld(bucket, layout.claim, held, signal))) throw superseded(window);
    if (await isOutdated(invocation, window, from)) throw superseded(window);
  };
  const { openHorizonSeconds, settleSeconds } = invocation.settings;
  const request = {
    window,
    state: from?.checkpoint.source.state,
    openHorizonSeconds,
    settleSeconds,
    holdLate: false,
    whole: false,
    signal,
  };
  const read = (): OrderedEvents => inStartOrder(invocation.source.read(request));
  const data = await writeWithRetries(invocation, window, read, assertHeld);
  await assertHeld();
  const committed = decide(invocation, window, data);
  if ((await commitClaim(bucket, layout.claim, held, committed, signal)) === undefined)
    throw superseded(window);
  const result = await publish(invocation, window, committed);
  if (found === 'taken') await remove(bucket, layout.windowClaim(window), signal);
  return result;
}

/** Windows of another length, made by a backfill before the length was changed, hold events of this one. */
async function refuseOverlap(invocation: Invocation, window: Window): Promise<void> {
  for await (const other of publishedWithin(invocation, window)) {
    // The very same: another run has just published it, and ours will notice.
    if (windowKey(other) === windowKey(window)) continue;
    throw new StoreError(
      `window ${windowText(window)}: overlaps ${windowText(other)}, which is published and of another length; ` +
        'set the length of windows back until the schedule has passed what was backfilled, or remove that drop',
    );
  }
}

async function isOutdated(
  invocation: Invocation,
  window: Window,
  from: StoredCheckpoint | undefined,
): Promise<boolean> {
  const { bucket, layout, signal } = invocation;
  return (await hasMoved(bucket, layout.checkpoint, from, signal)) || (await isPublished(invocation, window));
}

/**
 * Writes a window's data objects, trying again where the source failed for a transient reason.
 *
 * @param read begins to read the window anew
 * @param mayFinish throws where the window is not ours to publish, or not with what has been read
 * @param backfill for the manifest, where a backfill makes the drop
 */
export async function writeWithRetries(
  invocation: Invocation,
  window: Window,
  read: () => OrderedEvents,
  mayFinish: (tally?: Tally) => Promise<void>,
  backfill?: BackfillMark,
): Promise<WrittenData> {
  return readWithRetries(invocation, async () => {
    const data = await writeData(invocation, window, read(), mayFinish, backfill);
    if (data !== undefined) return data;
    // A run that lost its claim to this one has finished an object late, or S3's answer to ours was lost.
    await mayFinish();
    throw new ObjectsChangedError(
      `window ${windowText(window)}: its data objects were changed each time we wrote them`,
    );
  });
}

class ObjectsChangedError extends StoreError {}

/** Tries again to read where the source failed for a transient reason. @throws SourceError the last one */
export async function readWithRetries<T>({ log, signal }: Invocation, read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      const mayHelp =
        error instanceof ObjectsChangedError || (error instanceof SourceError && error.transient);
      if (!mayHelp || attempt === ATTEMPTS) throw error;
      log('reading again', { attempt, reason: error.message });
      await pause(attempt * attempt * (500 + Math.random() * 1000), signal);
    }
  }
}

function decide({ source }: Invocation, window: Window, data: WrittenData): Committed {
  return {
    manifest: data.manifest,
    checkpoint: { window, source: { kind: source.kind, state: data.outcome.state } },
  };
}
