import type { Window } from '../core/window.ts';

/** A worker finishes this many well within its time: a million events take a small function about a minute. */
const EVENTS_PER_GROUP = 1_000_000;
const MOST_WINDOWS = 31;
/** For a source that cannot tell how much there is (the API): a worker holds all events of its group before it writes. */
const UNKNOWN_WINDOWS = 4;
/** Step Functions passes on 256 KiB of state, and a group takes about 60 bytes. */
const MOST_GROUPS = 1500;

/**
 * Parts the due windows into groups. One worker reads a group in one pass.
 *
 * @param events about how many the source has in the due windows; null if it cannot tell
 */
export function groupsOf(due: readonly Window[], events: number | null): Window[] {
  const perWindow = Math.max(1, (events ?? 0) / Math.max(1, due.length));
  const fitting = Math.max(1, Math.floor(EVENTS_PER_GROUP / perWindow));
  const wanted = events === null ? UNKNOWN_WINDOWS : Math.min(MOST_WINDOWS, fitting);
  const size = Math.max(wanted, Math.ceil(due.length / MOST_GROUPS));
  const groups = inRuns(due, size, 0);
  // With many holes between the due windows, a worker passes over the published ones in its group.
  return groups.length <= MOST_GROUPS ? groups : inRuns(due, size, Infinity);
}

function inRuns(due: readonly Window[], size: number, holes: number): Window[] {
  const groups: { start: number; end: number; size: number }[] = [];
  for (const { start, end } of due) {
    const last = groups.at(-1);
    if (last !== undefined && start - last.end <= holes && last.size < size) {
      last.end = end;
      last.size++;
    } else groups.push({ start, end, size: 1 });
  }
  return groups.map(({ start, end }) => ({ start, end }));
}
