import { MINUTE, type Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';

/** How many of the longest gaps are kept. */
const GAPS = 5;

/** Records the seconds of a window in which something finished; a byte a second, 84 KiB for a day. */
export interface GapFinder {
  add(finish: Seconds): void;
  /** The longest spans without any, the longest first; of equally long ones the first. Edges of the window bound them. */
  longest(): Window[];
}

export function findGaps({ start, end }: Window): GapFinder {
  const busy = new Uint8Array(end - start);
  return {
    add(finish) {
      busy[finish - start] = 1;
    },
    longest() {
      const gaps: Window[] = [];
      for (let from = 0; from < busy.length; from++) {
        const next = busy.indexOf(1, from);
        const to = next === -1 ? busy.length : next;
        if (to > from) gaps.push({ start: start + from, end: start + to });
        from = to;
      }
      return gaps.toSorted((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start).slice(0, GAPS);
    },
  };
}

/** Fewer events say nothing: gaps between them are the rule. */
const FEWEST = 100;
const SHORTEST = 15 * MINUTE;

/**
 * The gaps that stand out. Were events spread evenly by chance, the longest gap would be about the mean one times the
 * logarithm of their number; nights are quieter, so a gap stands out from four times that on.
 */
export function standingOut(gaps: readonly Window[], { start, end }: Window, events: number): Window[] {
  if (events < FEWEST) return [];
  const expected = ((end - start) / events) * Math.log(events);
  return gaps.filter((gap) => gap.end - gap.start >= Math.max(SHORTEST, 4 * expected));
}
