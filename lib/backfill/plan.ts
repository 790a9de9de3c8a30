import type { Invocation } from '../drop/invocation.ts';
import { HistoryGoneError, InputError } from '../core/errors.ts';
import { isDecided, readClaim } from '../drop/claim.ts';
import type { Place } from '../drop/place.ts';
import { missingIn } from '../drop/published.ts';
import { readAgain } from '../drop/read-again.ts';
import { type Seconds, iso } from '../core/time.ts';
import { type Window, windowText, windowsOf } from '../core/window.ts';
import type { BackfillRequest } from './request.ts';

/** What a backfill would do with each window of its range. */
export interface BackfillPlan {
  /** To be made. */
  readonly due: readonly Window[];
  /** Left as they are. */
  readonly published: readonly Window[];
  /** Older than everything that the source still has. */
  readonly beforeHistory: readonly Window[];
  readonly sourceFrom: Seconds | null;
  /** About how many events the source has of the due windows; null if it cannot tell. */
  readonly events: number | null;
  /** About how many events of the range were purged; null if it cannot tell. */
  readonly purged: number | null;
}

/** Looks at what is published and at how far back the source goes. Writes nothing. */
export async function planBackfill(
  invocation: Invocation,
  { range, windowSeconds }: Pick<BackfillRequest, 'range' | 'windowSeconds'>,
): Promise<BackfillPlan> {
  const { source, signal } = invocation;
  const windows = windowsOf(range, windowSeconds);
  const missing = await missingIn(invocation, windows);
  const published = [...new Set(windows).difference(new Set(missing))];
  const { from, events: known, purged } = await readAgain(invocation, () => source.history(range, signal));
  const old = missing.filter(({ end }) => end <= (from ?? Infinity));
  const decided = await decidedOf(invocation, old);
  const gone = new Set(old).difference(decided);
  const due = missing.filter((window) => !gone.has(window));
  const events = known && Math.round((known * due.length) / windows.length);
  return { due, published, beforeHistory: [...gone], sourceFrom: from, events, purged };
}

/** The windows whose claim is decided. They are finished from the claim, without the source. */
async function decidedOf(place: Place, windows: readonly Window[]): Promise<Set<Window>> {
  const { store, layout, signal } = place;
  const decided = new Set<Window>();
  if (windows.length === 0) return decided;
  const byClaim = new Map(windows.map((window) => [layout.windowClaim(window), window]));
  for await (const { key } of store.list(layout.windowClaims, '', signal)) {
    const window = byClaim.get(key);
    const found = window && (await readClaim(place, key));
    if (window && found && isDecided(found.claim)) decided.add(window);
  }
  return decided;
}

/**
 * Refuses what can never be made whole: windows that the source has purged since they were planned, and a release
 * whose whole range is older than the source.
 *
 * @param isPlanned whether all windows of the range were found in the source before
 * @throws InputError, HistoryGoneError
 */
export function refuseGone(request: BackfillRequest, plan: BackfillPlan, isPlanned: boolean): void {
  const { release, range } = request;
  const { due, sourceFrom } = plan;
  const [gone] = plan.beforeHistory;
  if (gone === undefined) return;
  if (isPlanned) {
    throw new HistoryGoneError(
      `window ${windowText(gone)}: the source has purged it since the backfill was planned; ask for a later range` +
        (release === undefined ? '' : ' under another name, or delete the incomplete release’s folder first'),
    );
  }
  if (release === undefined || due.length > 0) return;
  const back = sourceFrom === null ? 'is empty' : `goes back to ${iso(sourceFrom)}`;
  throw new InputError(
    `event: end: got the range ${windowText(range)}, of which the source has nothing: it ${back}; ` +
      'accepted: a range that ends after that',
  );
}
