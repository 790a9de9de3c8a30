import { DAY, type Seconds } from '../core/time.ts';
import { type Window, floorTo } from '../core/window.ts';

/** A published drop, as the index lists it. */
export interface DropEntry {
  readonly window: Window;
  readonly events: number;
  readonly late: number;
  readonly stillOpen: number;
  /** Of all its data files. */
  readonly bytes: number;
  /** Servers that existed in its window; null if it does not tell. */
  readonly servers: number | null;
  readonly created: Seconds;
  /** Of its report, relative to the index. */
  readonly href: string;
}

/** A date, in UTC, between the first and the last drop. */
export interface CalendarDay {
  readonly date: Seconds;
  /** In order of time. */
  readonly drops: readonly DropEntry[];
  /** Parts of the day that no drop covers. */
  readonly missing: readonly Window[];
  readonly events: number;
  readonly late: number;
  /** Whether all, some or nothing of the day is published; `empty`: all of it, without a row. */
  readonly status: 'published' | 'empty' | 'partial' | 'missing';
}

/**
 * The days from the first drop to the last, with the gaps between these two. Days before the first drop and after the
 * last one are no gaps: a trace begins some day, and a page cannot know when it is read.
 *
 * @param drops whose windows do not overlap; in any order
 */
export function calendarDays(drops: readonly DropEntry[]): CalendarDay[] {
  const ordered = drops.toSorted((a, b) => a.window.start - b.window.start);
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (first === undefined || last === undefined) return [];
  const missing = between(ordered);
  const days: CalendarDay[] = [];
  for (let date = floorTo(first.window.start, DAY); date < last.window.end; date += DAY) {
    const day = { start: date, end: date + DAY };
    days.push(
      calendarDay(
        date,
        ordered.filter(({ window }) => window.start >= day.start && window.start < day.end),
        missing.flatMap((gap) => common(gap, day)),
      ),
    );
  }
  return days;
}

function calendarDay(date: Seconds, drops: readonly DropEntry[], missing: readonly Window[]): CalendarDay {
  const events = drops.reduce((sum, drop) => sum + drop.events, 0);
  const late = drops.reduce((sum, drop) => sum + drop.late, 0);
  const whole = events === 0 ? 'empty' : 'published';
  const status = drops.length === 0 ? 'missing' : missing.length > 0 ? 'partial' : whole;
  return { date, drops, missing, events, late, status };
}

function between(ordered: readonly DropEntry[]): Window[] {
  return ordered.flatMap(({ window }, at) => {
    const next = ordered[at + 1]?.window.start ?? window.end;
    return next > window.end ? [{ start: window.end, end: next }] : [];
  });
}

function common(a: Window, b: Window): Window[] {
  const [start, end] = [Math.max(a.start, b.start), Math.min(a.end, b.end)];
  return start < end ? [{ start, end }] : [];
}

/** How many windows of that length are missing in those days; a part of one counts. */
export function missingWindows(days: readonly CalendarDay[], windowSeconds: Seconds): number {
  const gaps = days.flatMap(({ missing }) => missing);
  return gaps.reduce((sum, { start, end }) => sum + Math.ceil((end - start) / windowSeconds), 0);
}
