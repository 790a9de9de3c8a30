import { type Format, loadFormat } from '../format/format.ts';
import type { OnText } from '../format/pieces.ts';
import type { WindowOutcome } from '../source/source.ts';
import { expectedNow } from '../store/bucket.ts';
import { type OpenObject, openObject } from '../store/upload.ts';
import type { Window } from '../window.ts';
import type { Invocation } from './invocation.ts';
import { type Manifest, type ManifestFile, epochOf, makeManifest } from './manifest.ts';
import { type OrderedEvents, type Output, type Tally, pump } from './pump.ts';

export interface WrittenData {
  readonly manifest: Manifest;
  readonly outcome: WindowOutcome;
}

/**
 * Writes everything of a window but its manifest: the data objects, all formats from one pass over its events,
 * uploading while they are read; then its report.
 *
 * @param mayFinish asked once everything is read, before any object becomes visible
 * @param previous for the manifest
 * @returns undefined where an object changed meanwhile; nothing of ours is visible then but what a rerun replaces
 * @throws PrivacyError where the drop must not be published; nothing of ours is visible then
 */
export async function writeData(
  invocation: Invocation,
  window: Window,
  events: OrderedEvents,
  mayFinish: () => Promise<void>,
  previous: Manifest['previous'],
): Promise<WrittenData | undefined> {
  const { settings, bucket, layout, signal } = invocation;
  // The report's code is for those who want one.
  const watch = settings.report ? (await import('./watch.ts')).openWatch(settings, window) : undefined;
  const expectedReport = watch && (await expectedNow(bucket, layout.report(window), signal));
  const outputs = await openOutputs(invocation, window, watch?.text);
  try {
    const pumping = watch === undefined ? invocation : { ...invocation, watch };
    const tally = await pump(pumping, events, outputs);
    const watched = watch?.finish();
    await mayFinish();

    const files = await finishAll(outputs, tally.events);
    if (files === undefined) return undefined;
    const privacy = watched && { ...watched.statistics.privacy, scan: watched.scan };
    const manifest = manifestOf(invocation, window, files, tally, privacy, previous);
    const { outcome } = tally;
    if (watch === undefined || watched === undefined || expectedReport === undefined)
      return { manifest, outcome };
    const { writeReport } = await import('./write-report.ts');
    const report = await writeReport(invocation, window, { manifest, watch, watched }, expectedReport);
    return report && { manifest: { ...manifest, report }, outcome };
  } finally {
    // Nothing happens to those that are finished.
    await Promise.all(outputs.map(({ object }) => object.abort()));
  }
}

/** Keys of all objects that {@link writeData} writes. */
export function keysToWrite(
  { settings, layout }: Pick<Invocation, 'settings' | 'layout'>,
  window: Window,
): string[] {
  const data = settings.formats.map((format) => layout.data(window, format));
  return settings.report ? [...data, layout.report(window)] : data;
}

interface DataObject extends Output {
  readonly key: string;
  readonly format: Format;
  readonly object: OpenObject;
}

async function openOutputs(
  { settings, bucket, layout, signal }: Invocation,
  window: Window,
  onText: OnText | undefined,
): Promise<DataObject[]> {
  const targets = await Promise.all(
    settings.formats.map(async (name) => {
      const format = await loadFormat(name, settings.formatVersion);
      const key = layout.data(window, name);
      return { format, key, expected: await expectedNow(bucket, key, signal) };
    }),
  );
  return targets.map(({ format, key, expected }) => ({
    key,
    format,
    encoder: format.encoder(epochOf(settings, window), onText),
    object: openObject(
      bucket,
      { key, contentType: format.contentType, expected },
      format.compressor(),
      signal,
    ),
  }));
}

/** Makes all objects visible, one after the other. Undefined where one was changed by somebody else. */
async function finishAll(outputs: readonly DataObject[], rows: number): Promise<ManifestFile[] | undefined> {
  const files: ManifestFile[] = [];
  for (const { key, format, object } of outputs) {
    const summary = await object.finish();
    if (summary === undefined) return undefined;
    const { name, version, columns } = format;
    files.push({ key, format: name, formatVersion: version, ...summary, rows, columns });
  }
  return files;
}

function manifestOf(
  { run, settings, source, masking }: Invocation,
  window: Window,
  files: readonly ManifestFile[],
  { outcome, events, instances, ...tally }: Tally,
  privacy: Manifest['privacy'],
  previous: Manifest['previous'],
): Manifest {
  const skipped = { ...outcome.counts.skipped, ...tally.skipped };
  return makeManifest({
    settings,
    source: source.kind,
    masking,
    window,
    files,
    counts: { events, instances, ...outcome.counts, skipped },
    outcome,
    previous,
    privacy,
    created: Math.floor(Date.now() / 1000),
    run,
  });
}
