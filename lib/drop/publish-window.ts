import { sha256 } from '../core/bytes.ts';
import { StoreError } from '../core/errors.ts';
import { type Window, windowText } from '../core/window.ts';
import type { StoredCheckpoint } from './checkpoint.ts';
import { type Decided, type FoundClaim, assertHeld, decideClaim, takeClaim } from './claim.ts';
import { type WindowResult, finishWindow } from './finish.ts';
import type { Invocation } from './invocation.ts';
import type { Place } from './place.ts';
import { ObjectsChangedError, readAgain } from './read-again.ts';
import { type WindowRows, type WrittenDrop, keysToWrite, writeDrop } from './write-drop.ts';

/** One window to publish, by the schedule or by a backfill. */
export interface WindowTask {
  readonly window: Window;
  /** Key of the claim that decides it. */
  readonly claim: string;
  /** That claim as it was found, before anything else was looked at: absent, undecided, or decided and finished. */
  readonly found: FoundClaim | undefined;
  /** Begins to read the window; called again after a reading that failed. */
  readonly read: () => Promise<WindowRows>;
  /** What the schedule continues, read after the claim; undefined for a backfill, which has no checkpoint. */
  readonly continues?: { readonly from: StoredCheckpoint | undefined };
}

/**
 * Publishes one window from end to end: claim, data objects, decision, manifest, checkpoint. A crash anywhere is
 * repaired by the next run (`claim.ts` says how).
 *
 * @throws SupersededError if another run took the claim over
 */
export async function publishWindow(invocation: Invocation, task: WindowTask): Promise<WindowResult> {
  const { run } = invocation;
  const { window, claim: key } = task;
  const held = await takeClaim(
    invocation,
    key,
    { run, window, keys: keysToWrite(invocation, window) },
    task.found,
  );
  const mayFinish = (): Promise<void> => assertHeld(invocation, key, held);
  await refusePublished(invocation, window, mayFinish);
  const drop = await writeWithRetries(invocation, task, mayFinish);
  const claim = await decideClaim(invocation, key, held, decisionOf(invocation, task, drop));
  return finishWindow(invocation, run, claim);
}

/** Stops before the data objects of a manifest that neither the checkpoint nor a claim knows are replaced. */
async function refusePublished(
  { store, layout, signal }: Place,
  window: Window,
  mayFinish: () => Promise<void>,
): Promise<void> {
  const key = layout.manifest(window);
  if ((await store.readText(key, signal)) === undefined) return;
  // Another run may have just taken the claim over and published.
  await mayFinish();
  throw new StoreError(
    `window ${windowText(window)}: ${key} is there, but neither ${layout.checkpoint} nor a claim knows of it; ` +
      'was an older checkpoint or claim brought back? Bring back their newest versions',
  );
}

/** Writes a window's data objects. Tries again if the source failed for a transient reason. */
function writeWithRetries(
  invocation: Invocation,
  { window, read, continues }: WindowTask,
  mayFinish: () => Promise<void>,
): Promise<WrittenDrop> {
  const previous = continues && (continues.from?.checkpoint.manifest ?? null);
  return readAgain(invocation, async () => {
    await using rows = await read();
    const drop = await writeDrop(invocation, window, rows, mayFinish, previous);
    if (drop !== undefined) return drop;
    // A run that lost its claim to this one has finished an object late, or the store's answer to ours was lost.
    await mayFinish();
    throw new ObjectsChangedError(
      `window ${windowText(window)}: its data objects were changed each time this run wrote them`,
    );
  });
}

function decisionOf(
  { source, layout }: Invocation,
  { window, continues }: WindowTask,
  { manifest: made, outcomes }: WrittenDrop,
): Decided {
  const manifest = `${JSON.stringify(made, null, 2)}\n`;
  if (continues === undefined) return { manifest, checkpoint: null };
  return {
    manifest,
    checkpoint: {
      window,
      manifest: { key: layout.manifest(window), sha256: sha256(manifest) },
      tables: Object.fromEntries(
        Object.entries(outcomes).map(([table, { state }]) => {
          const begin = continues.from?.checkpoint.tables[table]?.begin ?? window.start;
          return [table, { source: source.kind, begin, state }];
        }),
      ),
    },
  };
}
