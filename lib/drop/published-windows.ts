import { listKeys } from '../store/bucket.ts';
import { DAY, isoDate, parseCompact } from '../time.ts';
import type { Window } from '../window.ts';
import type { Where } from './where.ts';

/**
 * The published windows, of whatever length, that overlap a range, as the names of their manifests tell.
 *
 * @param range whose end may be `Infinity`
 */
export async function* publishedWithin(
  { bucket, layout, signal }: Where,
  range: Window,
): AsyncGenerator<Window, void, void> {
  // A window does not span two dates, and its manifest lies under its own.
  const after = `${layout.manifests}date=${isoDate(range.start - DAY)}0`;
  const beyond = range.end === Infinity ? undefined : `${layout.manifests}date=${isoDate(range.end)}0`;
  for await (const key of listKeys(bucket, layout.manifests, after, signal)) {
    if (beyond !== undefined && key >= beyond) return;
    const window = windowOfKey(key);
    if (window !== undefined && window.end > range.start && window.start < range.end) yield window;
  }
}

/** The window of a manifest; undefined for what else lies beside it. */
export function windowOfKey(key: string): Window | undefined {
  const [, from = '', to = ''] = /\/(\d{8}T\d{6}Z)-(\d{8}T\d{6}Z)\.json$/.exec(key) ?? [];
  const [start, end] = [parseCompact(from), parseCompact(to)];
  return start === undefined || end === undefined ? undefined : { start, end };
}
