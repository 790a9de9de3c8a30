import { type TableDescription, releasePackage } from '../drop/data-package.ts';
import type { Invocation } from '../drop/invocation.ts';
import { type Manifest, TOOL } from '../drop/manifest.ts';
import type { Place } from '../drop/place.ts';
import { type StoredManifest, manifestsOf, publishedIn } from '../drop/published.ts';
import type { ReleaseTrace } from '../drop/trace.ts';
import { TABLES } from '../tables/registry.ts';
import { sha256 } from '../core/bytes.ts';
import { BackfillIncompleteError } from '../core/errors.ts';
import { type Window, intervals, isoWindow, windowsOf } from '../core/window.ts';

/** How many intervals a message names. */
const NAMED = 20;

/**
 * Makes sure that every window is published, by any run.
 *
 * @throws BackfillIncompleteError naming the windows that are missing
 */
export async function refuseMissing(place: Place, windows: readonly Window[]): Promise<void> {
  const [first, last] = [windows[0], windows.at(-1)];
  if (first === undefined || last === undefined) return;
  const isPublished = await publishedIn(place, { start: first.start, end: last.end });
  const missing = windows.filter((window) => !isPublished(window));
  if (missing.length === 0) return;
  throw new BackfillIncompleteError(
    `${missing.length} window(s) are missing: ${intervals(missing).slice(0, NAMED).join(', ')}; ` +
      'ask for the same backfill again, which publishes only these',
  );
}

/**
 * Completes a release: describes its files as one data package, then lists its manifests, which prove that it is whole.
 *
 * @throws BackfillIncompleteError naming the windows that are missing
 */
export async function completeRelease(
  place: Place & Pick<Invocation, 'settings'>,
  trace: ReleaseTrace,
  descriptions: readonly TableDescription[] = TABLES,
): Promise<void> {
  const { store, layout, signal } = place;
  const { cloud, licence } = place.settings;
  const { range, maskingScope } = trace;
  const windows = windowsOf(range, trace.windowSeconds);
  await refuseMissing(place, windows);
  const manifests: StoredManifest[] = [];
  for await (const stored of manifestsOf(place, windows)) manifests.push(stored);
  const put = async (key: string, value: object): Promise<void> => {
    const text = `${JSON.stringify(value, null, 2)}\n`;
    // Two executions that verify at once write the same.
    await store.writeText(key, text, await store.expectedNow(key, signal), signal);
  };
  const drops = manifests.map(({ manifest }) => manifest);
  const created = drops.reduce((latest, drop) => (drop.created > latest ? drop.created : latest), '');
  const described = { cloud, range, created, licence, descriptions, root: layout.root };
  await put(layout.datapackage, releasePackage({ ...described, drops: drops.map(({ tables }) => tables) }));
  await put(layout.release, {
    releaseVersion: 1,
    tool: TOOL,
    cloud,
    created,
    range: isoWindow(range),
    windows: windows.length,
    maskingScope,
    tables: Object.fromEntries(trace.tables.map((table) => [table, totalsOf(drops, table)])),
    manifests: manifests.map(({ key, text }) => ({ key, sha256: sha256(text) })),
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
