import { createHash } from 'node:crypto';
import { releasePackage } from '../drop/data-package.ts';
import type { Invocation } from '../drop/invocation.ts';
import { type Manifest, TOOL } from '../drop/manifest.ts';
import type { Place } from '../drop/place.ts';
import { type StoredManifest, manifestsOf, publishedWithin } from '../drop/published.ts';
import type { ReleaseTrace } from '../drop/trace.ts';
import { TABLES } from '../tables/registry.ts';
import { BackfillIncompleteError } from '../core/errors.ts';
import { iso } from '../core/time.ts';
import { type Window, windowKey, windowsOf } from '../core/window.ts';
import { intervals } from './summary.ts';

/** How many intervals a message names. */
const NAMED = 20;

/**
 * Makes sure that every window is published, whichever run published it.
 *
 * @throws BackfillIncompleteError naming the windows that are missing
 */
export async function refuseMissing(place: Place, windows: readonly Window[]): Promise<void> {
  const [first, last] = [windows[0], windows.at(-1)];
  if (first === undefined || last === undefined) return;
  const published = new Set<string>();
  for await (const window of publishedWithin(place, { start: first.start, end: last.end }))
    published.add(windowKey(window));
  const missing = windows.filter((window) => !published.has(windowKey(window)));
  if (missing.length === 0) return;
  throw new BackfillIncompleteError(
    `${missing.length} window(s) are missing: ${intervals(missing).slice(0, NAMED).join(', ')}; ` +
      'ask for the same backfill again, which publishes only these',
  );
}

/**
 * Completes a release: describes its files as one data package, and last lists its manifests, by which everybody can
 * prove that it is whole. Without effect where that is done.
 *
 * @throws BackfillIncompleteError naming the windows that are missing
 */
export async function completeRelease(
  place: Place & Pick<Invocation, 'settings'>,
  trace: ReleaseTrace,
): Promise<void> {
  const { store, layout, settings, signal } = place;
  const windows = windowsOf(trace.range, trace.windowSeconds);
  await refuseMissing(place, windows);
  if ((await store.readText(layout.release, signal)) !== undefined) return;

  const manifests: StoredManifest[] = [];
  for await (const stored of manifestsOf(place, windows)) manifests.push(stored);
  const put = async (key: string, value: object): Promise<void> => {
    const text = `${JSON.stringify(value, null, 2)}\n`;
    // Two that verify at once write alike.
    await store.writeText(key, text, await store.expectedNow(key, signal), signal);
  };
  const drops = manifests.map(({ manifest }) => manifest);
  const created = drops.reduce((latest, drop) => (drop.created > latest ? drop.created : latest), '');
  const { cloud, licence } = settings;
  await put(
    layout.datapackage,
    releasePackage({
      cloud,
      range: trace.range,
      created,
      licence,
      descriptions: TABLES,
      drops: drops.map(({ tables }) => tables),
      root: layout.root,
    }),
  );
  await put(layout.release, {
    releaseVersion: 1,
    tool: TOOL,
    cloud,
    created,
    range: { start: iso(trace.range.start), end: iso(trace.range.end) },
    windows: windows.length,
    maskingScope: trace.maskingScope,
    tables: Object.fromEntries(trace.tables.map((table) => [table, totalsOf(drops, table)])),
    manifests: manifests.map(({ key, text }) => ({
      key,
      sha256: createHash('sha256').update(text).digest('hex'),
    })),
  });
}

function totalsOf(drops: readonly Manifest[], table: string): object {
  const parts = drops.flatMap(({ tables }) => tables[table] ?? []);
  const files = parts.flatMap((part) => part.files);
  return {
    rows: parts.reduce((sum, { counts }) => sum + counts.rows, 0),
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
