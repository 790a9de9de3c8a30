import { type Format, loadFormat } from '../format/format.ts';
import type { WindowOutcome } from '../source/source.ts';
import { expectedNow } from '../store/bucket.ts';
import { type OpenObject, openObject } from '../store/upload.ts';
import type { Window } from '../window.ts';
import type { Invocation } from './invocation.ts';
import { type Counts, type ManifestFile, epochOf } from './manifest.ts';
import { type OrderedEvents, type Output, pump } from './pump.ts';

export interface WrittenData {
  readonly files: readonly ManifestFile[];
  readonly counts: Counts;
  readonly outcome: WindowOutcome;
}

/**
 * Writes the data objects of a window, all formats from one pass over its events, uploading while they are read.
 *
 * @param mayFinish asked once everything is read, before any object becomes visible
 * @returns undefined where an object changed meanwhile; nothing of ours is visible then but what a rerun replaces
 */
export async function writeData(
  invocation: Invocation,
  window: Window,
  events: OrderedEvents,
  mayFinish: () => Promise<void>,
): Promise<WrittenData | undefined> {
  const outputs = await openOutputs(invocation, window);
  try {
    const { outcome, ...tally } = await pump(invocation, events, outputs);
    await mayFinish();

    const files: ManifestFile[] = [];
    for (const { key, format, object } of outputs) {
      const summary = await object.finish();
      if (summary === undefined) return undefined;
      const { name, version, columns } = format;
      files.push({ key, format: name, formatVersion: version, ...summary, rows: tally.events, columns });
    }
    const skipped = { ...outcome.counts.skipped, ...tally.skipped };
    return {
      files,
      outcome,
      counts: { events: tally.events, instances: tally.instances, ...outcome.counts, skipped },
    };
  } finally {
    // Nothing happens to those that are finished.
    await Promise.all(outputs.map(({ object }) => object.abort()));
  }
}

interface DataObject extends Output {
  readonly key: string;
  readonly format: Format;
  readonly object: OpenObject;
}

async function openOutputs(
  { settings, bucket, layout, signal }: Invocation,
  window: Window,
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
    encoder: format.encoder(epochOf(settings, window)),
    object: openObject(
      bucket,
      { key, contentType: format.contentType, expected },
      format.compressor(),
      signal,
    ),
  }));
}
