import { withRetries } from '../drop/drop.ts';
import type { Invocation } from '../drop/invocation.ts';
import { InputError } from '../errors.ts';
import { type Window, windowText, windowsOf } from '../window.ts';
import type { Making } from './drop-window.ts';
import { manifestsOf } from './published.ts';
import type { RangeReader } from './range.ts';
import { type Tie, heldBy, standOf } from './replacement.ts';

/**
 * Looks at windows that belong together before the first of them is made anew. One that could not be, when others have
 * been, would leave what was displaced between them in two drops or in none. So the source has to have as many events
 * of all of them as their drops hold; each drop alone need not, for its late ones go to others.
 *
 * @param due those of them that are to be made
 * @param reader for counting alone
 * @returns whether they may be made; not where another replacement knew more of the schedule
 * @throws InputError where the source has less
 */
export async function mayBeReplaced(
  invocation: Invocation,
  { window: whole }: Tie,
  due: readonly Window[],
  reader: RangeReader,
  { stand, replacement }: Making,
): Promise<boolean> {
  const isDue = new Set(due.map(({ start }) => start));
  let held = 0;
  const windows = windowsOf(whole, invocation.settings.windowSeconds);
  for await (const [window, manifest] of manifestsOf(invocation, windows)) {
    // An earlier turn has looked, and begun.
    if (manifest.backfill?.replacement === replacement) return true;
    if (standOf(manifest) > stand) return false;
    if (isDue.has(window.start)) held += heldBy(manifest.counts);
  }
  let has = 0;
  for (const window of due) has += await withRetries(invocation, () => countIn(window, reader));
  if (has >= held) return true;
  throw new InputError(
    `event: replace: the drops of ${windowText(whole)} hold ${held} events, of which the source has ${has} now: ` +
      'the others were purged, or cannot be seen; accepted: a range without them',
  );
}

async function countIn(window: Window, reader: RangeReader): Promise<number> {
  let count = 0;
  for await (const events of reader.read(window)) count += events.length;
  return count;
}
