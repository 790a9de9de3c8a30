import type { Encoder, Piece } from '../format/format.ts';
import { eventMasker } from '../mask/mask-event.ts';
import type { MaskedEvent } from '../mask/masked-event.ts';
import type { Masking } from '../mask/masking.ts';
import type { Settings } from '../settings.ts';
import type { TraceEvent, WindowOutcome } from '../source/source.ts';
import { countDistinct } from './distinct.ts';

/** The events of a window, in order of start, and how the reading went. */
export type OrderedEvents = AsyncGenerator<readonly TraceEvent[], WindowOutcome, void>;

/** A file that is being written. */
export interface Output {
  readonly encoder: Encoder;
  readonly object: {
    /** Takes the next piece; returns once there is room for more, so that memory stays flat. */
    write(piece: Piece): Promise<void>;
  };
}

export interface Pumping {
  readonly settings: Pick<Settings, 'hostFrom' | 'excludeUsers' | 'excludeProjects'>;
  readonly masking: Masking;
  readonly signal: AbortSignal;
  /** Told of all events, as they are written. */
  readonly observe?: (events: readonly MaskedEvent[]) => void;
}

export interface Tally {
  readonly outcome: WindowOutcome;
  /** Rows in each file. */
  readonly events: number;
  /** Distinct instances among them. */
  readonly instances: number;
  /** Rows left out by the settings, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** Source to files: exclude, mask, encode, write. The only place where both kinds of record are at hand. */
export async function pump(
  { settings, masking, signal, observe }: Pumping,
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
    await writeAll(outputs, ({ head }) => head);
    for (;;) {
      const next = await batches.next();
      signal.throwIfAborted();
      if (next.done === true) {
        await writeAll(outputs, (encoder) => encoder.tail());
        return { outcome: next.value, events, instances: instances.count, skipped };
      }
      const masked: readonly MaskedEvent[] = next.value.filter(isWanted).map(toMasked);
      events += masked.length;
      await writeAll(outputs, (encoder) => encoder.rows(masked));
      observe?.(masked);
    }
  } finally {
    await batches.return(undefined as never);
  }
}

async function writeAll(outputs: readonly Output[], pieceOf: (encoder: Encoder) => Piece): Promise<void> {
  for (const { encoder, object } of outputs) {
    const piece = pieceOf(encoder);
    if (piece.length > 0) await object.write(piece);
  }
}

function exclusion(settings: Pumping['settings'], instance: TraceEvent['instance']): string | undefined {
  if (instance.userId !== null && settings.excludeUsers.has(instance.userId)) return 'excludedUser';
  if (instance.projectId !== null && settings.excludeProjects.has(instance.projectId))
    return 'excludedProject';
  return undefined;
}
