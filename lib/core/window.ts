import { DAY, type Seconds, compactIso, iso } from './time.ts';

/** A half-open interval `[start, end)` in UTC; an event belongs to the window in which it finished. */
export interface Window {
  readonly start: Seconds;
  readonly end: Seconds;
}

export interface WindowPlan {
  /** Length of a window; divides a day, so that no window spans two dates. */
  readonly windowSeconds: Seconds;
  /** How far a window's end must lie in the past: rows are committed after the time they carry. */
  readonly settleSeconds: Seconds;
}

/** The last window that is settled at `now`: a cloud without a checkpoint starts there. */
export function lastSettledWindow(now: Seconds, plan: WindowPlan): Window {
  const end = floorTo(now - plan.settleSeconds, plan.windowSeconds);
  return { start: end - plan.windowSeconds, end };
}

/**
 * The settled windows that follow `from`, in order. If the length has changed since the last run, the first window ends
 * at the next boundary, so that windows neither overlap nor leave gaps.
 */
export function settledWindows(from: Seconds, now: Seconds, plan: WindowPlan): Window[] {
  const windows: Window[] = [];
  for (let start = from; ;) {
    const end = floorTo(start, plan.windowSeconds) + plan.windowSeconds;
    if (end > now - plan.settleSeconds) return windows;
    windows.push({ start, end });
    start = end;
  }
}

/** The windows of that length that make up a range, whose ends are edges of windows. */
export function windowsOf(range: Window, windowSeconds: Seconds): Window[] {
  const count = Math.round((range.end - range.start) / windowSeconds);
  return Array.from({ length: count }, (_, nth) => {
    const start = range.start + nth * windowSeconds;
    return { start, end: start + windowSeconds };
  });
}

/** `2026-11-22T00:00:00Z/2026-11-23T00:00:00Z`, the ISO 8601 interval. */
export function windowText(window: Window): string {
  return `${iso(window.start)}/${iso(window.end)}`;
}

/** As it is stored in JSON. */
export function isoWindow({ start, end }: Window): { readonly start: string; readonly end: string } {
  return { start: iso(start), end: iso(end) };
}

/** Windows that follow each other as one interval: `2025-01-01T00:00:00Z/2025-03-01T00:00:00Z`. */
export function intervals(windows: readonly Window[]): string[] {
  const joined: Window[] = [];
  for (const window of windows) {
    const last = joined.at(-1);
    if (last?.end === window.start) joined[joined.length - 1] = { start: last.start, end: window.end };
    else joined.push(window);
  }
  return joined.map(windowText);
}

/** `20261122T000000Z-20261123T000000Z`, the part of a key that a window fixes. */
export function windowKey(window: Window): string {
  return `${compactIso(window.start)}-${compactIso(window.end)}`;
}

export function isWindowLength(seconds: Seconds): boolean {
  return Number.isInteger(seconds) && seconds > 0 && DAY % seconds === 0;
}

/** The last edge of a window at `time` or before. */
export function floorTo(time: Seconds, step: Seconds): Seconds {
  return Math.floor(time / step) * step;
}
