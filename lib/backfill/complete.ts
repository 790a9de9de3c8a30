import { PassThrough } from 'node:stream';
import { type TableDescription, releasePackage } from '../drop/data-package.ts';
import { foreignField } from '../drop/foreign.ts';
import type { Invocation } from '../drop/invocation.ts';
import { type Manifest, TOOL } from '../drop/manifest.ts';
import type { Place } from '../drop/place.ts';
import { manifestsOf, missingIn } from '../drop/published.ts';
import type { ReleaseTrace } from '../drop/trace.ts';
import { TABLES } from '../tables/registry.ts';
import { sha256 } from '../core/bytes.ts';
import { BackfillIncompleteError } from '../core/errors.ts';
import { type Window, intervals, isoWindow, windowsOf } from '../core/window.ts';

/**
 * Makes sure that every window is published, by any run.
 *
 * @throws BackfillIncompleteError naming the first intervals that are missing
 */
export async function refuseMissing(place: Place, windows: readonly Window[]): Promise<void> {
  const missing = await missingIn(place, windows);
  if (missing.length === 0) return;
  throw new BackfillIncompleteError(
    `${missing.length} window(s) are missing: ${intervals(missing).slice(0, 20).join(', ')}; ` +
      'ask for the same backfill again, which publishes only these',
  );
}

/** Whether a release is complete. */
export async function hasProof({ store, layout, signal }: Place): Promise<boolean> {
  return (await store.readText(layout.release, signal)) !== undefined;
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
      const foreign = foreignField(manifest, trace);
      if (foreign !== undefined)
        throw new BackfillIncompleteError(
          `${key}: ${foreign.field}: got ${foreign.came}; accepted: ${foreign.begun}, with which the release was begun; ` +
            'make it under another name',
        );
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
  const made = { releaseVersion: 1, tool: TOOL, cloud, created, range: isoWindow(range) };
  const held = { windows: windows.length, maskingScope, tables: Object.fromEntries(totals), manifests };
  const text = `${JSON.stringify({ ...made, ...held }, null, 2)}\n`;
  await store.writeText(layout.release, text, await store.expectedNow(layout.release, signal), signal);
}
