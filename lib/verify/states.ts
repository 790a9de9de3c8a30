import { iso } from '../core/time.ts';
import { windowText } from '../core/window.ts';
import { type Checkpoint, readCheckpoint } from '../drop/checkpoint.ts';
import { isDecided, readClaim } from '../drop/claim.ts';
import type { Place } from '../drop/place.ts';
import type { Trace } from '../drop/trace.ts';
import type { FoundClaims } from './claims.ts';
import type { CheckedDrop } from './drops.ts';
import { type Finding, fault, note } from './fault.ts';

/** Holds the windows of claims against their keys and the part of the trace that they may be in. */
export function checkClaims({ layout }: Place, { windows }: FoundClaims, trace: Trace): Finding[] {
  return [...windows].flatMap(([key, window]) => {
    const wrong = (text: string): Finding[] => [fault(`${key}: its window ${windowText(window)} ${text}`)];
    const isOfSchedule = key === layout.claim;
    if (!isOfSchedule && layout.windowClaim(window) !== key) return wrong('belongs to another claim');
    if (trace.kind === 'release') {
      const { range } = trace;
      const isWithin = window.start >= range.start && window.end <= range.end;
      return isWithin ? [] : wrong(`lies out of the range of the release, ${windowText(range)}`);
    }
    const begin = `the begin of the trace, ${iso(trace.begin)}`;
    if (isOfSchedule) return window.start < trace.begin ? wrong(`lies before ${begin}`) : [];
    return window.end > trace.begin ? wrong(`is a backfill's, and reaches beyond ${begin}`) : [];
  });
}

/** Holds drops against the claims that decided them. A drop of a backfill or release has one for good. */
export async function* checkDecisions(
  { store, layout, signal }: Place,
  { decided, keys }: FoundClaims,
  trace: Trace,
  drops: readonly CheckedDrop[],
): AsyncGenerator<Finding, void, void> {
  for (const { key, window, sha256 } of drops) {
    const claim = decided.get(key);
    if (claim !== undefined && claim.sha256 !== sha256)
      yield fault(`${key}: is not the manifest that ${claim.key} decided`);
    if (trace.kind === 'scheduled' && window.end > trace.begin) continue;
    const own = layout.windowClaim(window);
    // The claim may be younger than the list of them.
    if (!keys.has(own) && (await store.readText(own, signal)) === undefined)
      yield fault(`${own}: is missing; the run that published ${key} left it there`);
  }
}

/**
 * Looks for what the schedule continues from, where it has published something.
 *
 * @param found the checkpoint as it was before the drops were looked for
 * @param scheduled drops from `begin` on, in order
 */
export async function checkContinuation(
  place: Place,
  found: Checkpoint | undefined,
  scheduled: readonly CheckedDrop[],
): Promise<Finding[]> {
  const { layout } = place;
  const newest = scheduled.at(-1);
  if (newest === undefined) return [];
  // In this order: a run writes the checkpoint before it takes the claim for the next window.
  const claim = (await readClaim(place, layout.claim))?.claim;
  const checkpoint = found ?? (await readCheckpoint(place))?.checkpoint;
  if (checkpoint === undefined) {
    if (claim !== undefined && isDecided(claim) && layout.manifest(claim.window) === newest.key)
      return [note(`${layout.checkpoint}: is not there; the next run writes it, as ${layout.claim} decided`)];
    return [
      fault(
        `${layout.checkpoint}: is missing, and no claim tells it, but the schedule has published up to ${iso(newest.window.end)}; ` +
          'bring it back (the bucket keeps old versions)',
      ),
    ];
  }
  return claim === undefined ? [note(`${layout.claim}: is missing; the next run makes another`)] : [];
}
