import * as z from 'zod/mini';
import { isoWindow, windowsOf } from '../core/window.ts';
import type { Place } from '../drop/place.ts';
import { windowOfKey } from '../drop/published.ts';
import type { ReleaseTrace } from '../drop/trace.ts';
import type { CheckedDrop, Total } from './drops.ts';
import { type Finding, fault, note } from './fault.ts';
import { checkReleasePackage } from './packages.ts';
import { checkRange } from './windows.ts';

const Release = z.object({
  range: z.object({ start: z.string(), end: z.string() }),
  windows: z.int(),
  maskingScope: z.string(),
  tables: z.record(z.string(), z.object({ rows: z.int(), files: z.int(), bytes: z.int() })),
  manifests: z.array(z.object({ key: z.string(), sha256: z.string() })),
});

type Release = z.infer<typeof Release>;

/**
 * Holds the drops of a release against its range, its list of manifests and its data package, and that list against what
 * the release was begun with.
 *
 * @param since drops that end before or then were not looked at
 */
export async function* checkRelease(
  place: Place,
  trace: ReleaseTrace,
  drops: readonly CheckedDrop[],
  since: number,
): AsyncGenerator<Finding, void, void> {
  const { store, layout, signal } = place;
  const { range } = trace;
  const stored = await store.readText(layout.release, signal);
  if (stored === undefined) yield note(`${layout.release}: is not there; the release is not complete`);
  const asked = { start: Math.max(range.start, since), end: range.end };
  yield* checkRange(drops, asked, stored !== undefined);
  if (stored === undefined) return;
  const { data } = z.safeParse(Release, stored.json());
  if (data === undefined) {
    yield fault(`${layout.release}: is no list of manifests`);
    return;
  }
  const isAll = since <= range.start;
  yield* checkSummary(place, data, trace, isAll ? drops : undefined);
  const isAsked = (key: string): boolean => (windowOfKey(key)?.end ?? Infinity) > since;
  const byKey = new Map(drops.map((drop) => [drop.key, drop.sha256]));
  for (const { key, sha256 } of data.manifests) {
    const is = byKey.get(key);
    byKey.delete(key);
    if (!isAsked(key)) continue;
    if (is === undefined) yield fault(`${key}: is missing; ${layout.release} lists it`);
    else if (is !== sha256)
      yield fault(`${key}: is not the manifest that ${layout.release} lists by its SHA-256`);
  }
  for (const key of byKey.keys()) yield fault(`${key}: is not in ${layout.release}`);
  yield* checkReleasePackage(
    place,
    drops.flatMap(({ files }) => files),
    () => isAll,
  );
}

/** @param drops all of the release; undefined where not all were looked at */
function* checkSummary(
  { layout }: Place,
  { range, windows, maskingScope, tables, manifests }: Release,
  trace: ReleaseTrace,
  drops: readonly CheckedDrop[] | undefined,
): Generator<Finding, void, void> {
  const begun = isoWindow(trace.range);
  const count = windowsOf(trace.range, trace.windowSeconds).length;
  const text = (window: typeof range): string => `${window.start}/${window.end}`;
  const names = (of: readonly string[]): string => of.toSorted().join();
  for (const [field, is, was, where] of [
    ['range', text(range), text(begun), layout.trace],
    ['maskingScope', maskingScope, trace.maskingScope, layout.trace],
    ['windows', windows, count, layout.trace],
    ['manifests', manifests.length, count, layout.trace],
    ['tables', names(Object.keys(tables)), names(trace.tables), layout.trace],
    ...(drops === undefined ? [] : totalsOf(tables, drops)),
  ] as const)
    if (is !== was) yield fault(`${layout.release}: ${field}: is ${is}; ${where} says ${was}`);
}

const COUNTS = ['rows', 'files', 'bytes'] as const;

function totalsOf(
  tables: Release['tables'],
  drops: readonly CheckedDrop[],
): (readonly [string, number, number, string])[] {
  return Object.entries(tables).flatMap(([table, said]) => {
    const parts = drops.flatMap(({ totals }): Total[] => {
      const total = totals[table];
      return total === undefined ? [] : [total];
    });
    return COUNTS.map((name) => {
      const sum = parts.reduce((total, part) => total + part[name], 0);
      return [`tables.${table}.${name}`, said[name], sum, 'the sum of its manifests'] as const;
    });
  });
}
