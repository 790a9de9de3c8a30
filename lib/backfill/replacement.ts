import { randomBytes } from 'node:crypto';
import type { Counts, Manifest } from '../drop/manifest.ts';
import { type Seconds, parseInstant } from '../time.ts';
import type { Window } from '../window.ts';

/*
 * S3 swaps one object at a time, and events that were displaced tie several drops together: made anew, they are in
 * other drops than now. So a replacement has an id, which is in the manifest of every drop that it makes: what bears
 * it is done, what bears another's was made without knowing of ours. And a manifest tells beside which state of the
 * schedule its drop was made: what the schedule had not published by then is not in the drop, and in a later one of
 * the schedule's.
 */

/** Windows between which events are displaced. */
export interface Tie {
  /** All of these have to be made anew, in their order and by one worker. */
  readonly window: Window;
  /** Events that will lie in a later drop of these than now. */
  readonly rewritten: number;
}

/** How the windows of a backfill are made. */
export interface Making {
  /** Until when the schedule had published; -Infinity where there is none. */
  readonly stand: Seconds;
  /** Id of the replacement, where what is published is made anew. */
  readonly replacement: string | undefined;
}

export function newReplacement(): string {
  return randomBytes(8).toString('hex');
}

/** Until when the schedule had published when a drop was made; of its own, the end of that. */
export function standOf({ backfill, window }: Manifest): Seconds {
  const stood = backfill === undefined ? window.end : backfill.besideSchedule;
  return parseInstant(stood ?? '') ?? -Infinity;
}

/** Whether a replacement made the drop. */
export function isOf({ backfill }: Manifest, replacement: string): boolean {
  return backfill?.replacement === replacement;
}

/** Why a drop that is published stays; undefined where it is to be made anew. */
export function whyKept(
  manifest: Manifest,
  { stand, replacement }: Making,
): 'alreadyPublished' | 'leftToOther' | undefined {
  if (replacement === undefined || isOf(manifest, replacement)) return 'alreadyPublished';
  // It was made knowing more of what the schedule has published than ours.
  return standOf(manifest) > stand ? 'leftToOther' : undefined;
}

/** Events of a drop, and those left out of it by the settings, which may be others by now. */
export function heldBy({ events, skipped }: Pick<Counts, 'events' | 'skipped'>): number {
  return events + (skipped['excludedUser'] ?? 0) + (skipped['excludedProject'] ?? 0);
}

/** Joins displacements that overlap. */
export function tiesOf(displacements: readonly Tie[]): Tie[] {
  const ties: Tie[] = [];
  for (const { window, rewritten } of displacements.toSorted((a, b) => a.window.start - b.window.start)) {
    const last = ties.at(-1);
    if (last === undefined || window.start >= last.window.end) {
      ties.push({ window, rewritten });
      continue;
    }
    const end = Math.max(last.window.end, window.end);
    ties[ties.length - 1] = { window: { ...last.window, end }, rewritten: last.rewritten + rewritten };
  }
  return ties;
}

export function tieOf(ties: readonly Tie[], { start }: Window): Tie | undefined {
  return ties.find(({ window }) => window.start <= start && start < window.end);
}
