import { readClaim } from '../drop/claim.ts';
import { readWithRetries } from '../drop/drop.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Manifest } from '../drop/manifest.ts';
import { InputError } from '../errors.ts';
import { type Seconds, parseInstant } from '../time.ts';
import { type Window, floorTo, windowText, windowsOf } from '../window.ts';
import { manifestsOf } from './published.ts';
import type { RangeReader } from './range.ts';
import { type Making, type Tie, heldBy, standOf, whyKept } from './replacement.ts';

/**
 * Looks at tied windows before the first of them is made anew. One that could not be, when others have been, would
 * leave what was displaced between them in two drops or in none. So the source has to have as many events of all of
 * them as their drops hold; each drop alone need not, for its late ones go to others.
 *
 * @param due those of them that are to be made now
 * @param from older windows are beyond the source's history, and stay as they are
 * @param open opens the source for counting alone, up to there
 * @returns whether they may be made; not where another replacement knew more of the schedule, or one of them was left
 *   in an earlier turn
 * @throws InputError where the source has less
 */
export async function mayBeReplaced(
  invocation: Invocation,
  { window: whole }: Tie,
  due: readonly Window[],
  from: Seconds,
  open: (end: Seconds) => RangeReader,
  making: Making,
): Promise<boolean> {
  const drops = new Map<Seconds, Manifest>();
  const windows = windowsOf(whole, invocation.settings.windowSeconds);
  for await (const [window, manifest] of manifestsOf(invocation, windows)) drops.set(window.start, manifest);
  const keptOf = ({ start }: Window): ReturnType<typeof whyKept> => {
    const drop = drops.get(start);
    return drop && whyKept(drop, making);
  };
  const isOurs = (window: Window): boolean => keptOf(window) === 'alreadyPublished';
  const isDue = new Set(due.map(({ start }) => start));

  for (const window of windows) {
    if (keptOf(window) === 'leftToOther') return false;
    if (!isDue.has(window.start) && !isOurs(window) && window.end > from) return false;
  }
  // An earlier turn has looked, and begun.
  if (windows.some(isOurs)) return true;
  let held = 0;
  for (const window of due) held += await heldIn(invocation, window, drops);
  const has = await countIn(invocation, due, open);
  if (has >= held) return true;
  throw new InputError(
    `event: replace: the drops of ${windowText(whole)} hold ${held} events, of which the source has ${has} now: ` +
      'the others were purged, or cannot be seen; accepted: a range without them',
  );
}

/** Events of a window's drop, but for those that a replacement which was broken off has put where they belong. */
async function heldIn(
  { bucket, layout, settings, signal }: Invocation,
  window: Window,
  drops: ReadonlyMap<Seconds, Manifest>,
): Promise<number> {
  const drop = drops.get(window.start);
  if (drop === undefined)
    return (await readClaim(bucket, layout.windowClaim(window), signal))?.claim.replaces ?? 0;
  const from = parseInstant(drop.displacedFrom ?? '');
  const home = from === undefined ? undefined : drops.get(floorTo(from, settings.windowSeconds));
  const isPutThere = typeof home?.backfill?.replacement === 'string' && standOf(home) >= window.end;
  return heldBy(drop.counts) - (isPutThere ? drop.counts.late : 0);
}

async function countIn(
  invocation: Invocation,
  windows: readonly Window[],
  open: (end: Seconds) => RangeReader,
): Promise<number> {
  await using reader = open(windows.at(-1)?.end ?? 0);
  let count = 0;
  for (const window of windows) {
    count += await readWithRetries(invocation, async () => {
      let events = 0;
      for await (const some of reader.read(window)) events += some.length;
      return events;
    });
  }
  return count;
}
