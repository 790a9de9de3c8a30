import { type Encoder, type Format, formatOf } from '../format/format.ts';
import type { MaskedEvent } from '../mask/masked-event.ts';
import { eventMasker } from '../mask/mask-event.ts';
import type { TraceEvent, WindowOutcome } from '../source/source.ts';
import { expectedNow } from '../store/bucket.ts';
import { type OpenObject, openObject } from '../store/upload.ts';
import type { Window } from '../window.ts';
import type { Invocation } from './invocation.ts';
import { countDistinct } from './distinct.ts';
import { type Counts, type ManifestFile, epochOf } from './manifest.ts';

export interface WrittenData {
  readonly files: readonly ManifestFile[];
  readonly counts: Counts;
  readonly outcome: WindowOutcome;
}

/** The events of a window, in order of start, and how the reading went. */
export type OrderedEvents = AsyncGenerator<readonly TraceEvent[], WindowOutcome, void>;

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

interface Output {
  readonly key: string;
  readonly format: Format;
  readonly encoder: Encoder;
  readonly object: OpenObject;
}

async function openOutputs(
  { settings, bucket, layout, signal }: Invocation,
  window: Window,
): Promise<Output[]> {
  const targets = await Promise.all(
    settings.formats.map(async (name) => {
      const format = formatOf(name);
      const key = layout.data(window, format);
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

interface Tally {
  outcome: WindowOutcome;
  events: number;
  instances: number;
  skipped: Record<string, number>;
}

/** Source to objects: exclude, mask, encode, write. The only place where both kinds of record are at hand. */
async function pump(
  { settings, masking, signal }: Invocation,
  batches: OrderedEvents,
  outputs: readonly Output[],
): Promise<Tally> {
  const instances = countDistinct();
  const toMasked = eventMasker(masking.mask, settings.hostFrom, ({ uuid }) => instances.add(uuid));
  const skipped: Record<string, number> = {};
  const isWanted = ({ instance }: TraceEvent): boolean => {
    const reason = exclusion(settings, instance);
    if (reason !== undefined) skipped[reason] = (skipped[reason] ?? 0) + 1;
    return reason === undefined;
  };
  let events = 0;
  try {
    for (const { encoder, object } of outputs) await object.write(encoder.head);
    for (;;) {
      const next = await batches.next();
      signal.throwIfAborted();
      if (next.done === true) return { outcome: next.value, events, instances: instances.count, skipped };
      const masked = next.value.filter(isWanted).map(toMasked);
      events += masked.length;
      await writeAll(outputs, masked);
    }
  } finally {
    await batches.return(undefined as never);
  }
}

async function writeAll(outputs: readonly Output[], events: readonly MaskedEvent[]): Promise<void> {
  for (const { encoder, object } of outputs) await object.write(encoder.rows(events));
}

function exclusion(settings: Invocation['settings'], instance: TraceEvent['instance']): string | undefined {
  if (instance.userId !== null && settings.excludeUsers.has(instance.userId)) return 'excludedUser';
  if (instance.projectId !== null && settings.excludeProjects.has(instance.projectId))
    return 'excludedProject';
  return undefined;
}
