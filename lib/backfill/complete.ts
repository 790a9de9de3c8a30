import { PassThrough } from 'node:stream';
import { type TableDescription, releasePackage } from '../drop/data-package.ts';
import { foreignField } from '../drop/foreign.ts';
import type { Invocation } from '../drop/invocation.ts';
import { type Manifest, TOOL } from '../drop/manifest.ts';
import type { Place } from '../drop/place.ts';
import { manifestsOf, publishedIn } from '../drop/published.ts';
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
  const missing = await missingIn(place, windows);
  if (missing.length === 0) return;
  throw new BackfillIncompleteError(
    `${missing.length} window(s) are missing: ${intervals(missing).slice(0, NAMED).join(', ')}; ` +
      'ask for the same backfill again, which publishes only these',
  );
}

/** The windows that no run has published. @param windows in order */
export async function missingIn(place: Place, windows: readonly Window[]): Promise<Window[]> {
  const [first, last] = [windows[0], windows.at(-1)];
  if (first === undefined || last === undefined) return [];
  const isPublished = await publishedIn(place, { start: first.start, end: last.end });
  return windows.filter((window) => !isPublished(window));
}

/**
 * Completes a release: describes its files as one data package, then lists its manifests, which prove that it is whole.
 * Holds no more than a few manifests at once.
 *
 * @throws BackfillIncompleteError naming the windows that are missing, or a manifest that is not of this release
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
  const manifests: { readonly key: string; readonly sha256: string }[] = [];
  const totals = new Map(trace.tables.map((table) => [table, { rows: 0, files: 0, bytes: 0 }]));
  let created = '';
  async function* drops(): AsyncGenerator<Manifest, void, void> {
    for await (const { key, text, manifest } of manifestsOf(place, windows)) {
      refuseForeign(key, manifest, trace);
      manifests.push({ key, sha256: sha256(text) });
      if (manifest.created > created) ({ created } = manifest);
      for (const [table, total] of totals) {
        const { files = [], counts } = manifest.tables[table] ?? {};
        total.rows += counts?.rows ?? 0;
        total.files += files.length;
        for (const { bytes } of files) total.bytes += bytes;
      }
      yield manifest;
    }
  }
  // Two executions that verify at once write the same.
  const expected = await store.expectedNow(layout.datapackage, signal);
  const target = { key: layout.datapackage, contentType: 'application/json', expected };
  const descriptor = store.open(target, new PassThrough(), signal);
  try {
    const about = { cloud, range, licence, descriptions, root: layout.root };
    for await (const piece of releasePackage(about, drops())) await descriptor.write(piece);
    await descriptor.finish();
  } finally {
    await descriptor.abort();
  }
  const proof = {
    releaseVersion: 1,
    tool: TOOL,
    cloud,
    created,
    range: isoWindow(range),
    windows: windows.length,
    maskingScope,
    tables: Object.fromEntries(totals),
    manifests,
  };
  const text = `${JSON.stringify(proof, null, 2)}\n`;
  await store.writeText(layout.release, text, await store.expectedNow(layout.release, signal), signal);
}

function refuseForeign(key: string, manifest: Manifest, trace: ReleaseTrace): void {
  const foreign = foreignField(manifest, trace);
  if (foreign === undefined) return;
  const { field, came, begun } = foreign;
  throw new BackfillIncompleteError(
    `${key}: ${field}: got ${came}; accepted: ${begun}, with which the release was begun; make it under another name`,
  );
}
