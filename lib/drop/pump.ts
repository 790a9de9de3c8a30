import type { Encoder, Piece } from '../format/format.ts';
import { eventMasker } from '../mask/mask-event.ts';
import type { MaskedEvent } from '../mask/masked-event.ts';
import type { Mask } from '../mask/mask.ts';
import type { Masking } from '../mask/masking.ts';
import type { Settings } from '../settings.ts';
import type { TraceEvent, WindowOutcome } from '../source/source.ts';
import { inGroups } from '../collections/in-groups.ts';
import { countDistinct } from '../collections/distinct.ts';

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

/** Sees what passes. */
export interface Watcher {
  /** A value, before it is masked; told time and again. */
  identifier(value: string | null): void;
  events(events: readonly MaskedEvent[]): void;
}

export interface Pumping {
  readonly settings: Pick<Settings, 'hostFrom' | 'excludeUsers' | 'excludeProjects'>;
  readonly masking: Masking;
  readonly signal: AbortSignal;
  readonly watch?: Watcher;
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

/** Few enough that their masked copies and their lines die young, before the garbage collector has to move them. */
const EVENTS_AT_ONCE = 250;

/** Source to files: exclude, mask, encode, write. The only place where both kinds of record are at hand. */
export async function pump(
  { settings, masking, signal, watch }: Pumping,
  batches: OrderedEvents,
  outputs: readonly Output[],
): Promise<Tally> {
  const instances = countDistinct();
  const toMasked = eventMasker(watchedMask(masking.mask, watch), settings.hostFrom, ({ uuid }) =>
    instances.add(uuid),
  );
  const skipped: Record<string, number> = {};
  const wanted = (some: readonly TraceEvent[]): readonly TraceEvent[] => {
    if (settings.excludeUsers.size + settings.excludeProjects.size === 0) return some;
    return some.filter(({ instance }) => {
      const reason = exclusion(settings, instance);
      if (reason !== undefined) skipped[reason] = (skipped[reason] ?? 0) + 1;
      return reason === undefined;
    });
  };
  const write = async (pieceOf: (encoder: Encoder) => Piece): Promise<void> => {
    for (const { encoder, object } of outputs) {
      const piece = pieceOf(encoder);
      if (piece.length === 0) continue;
      await object.write(piece);
    }
  };
  let events = 0;
  try {
    await write(({ head }) => head);
    for (;;) {
      const next = await batches.next();
      signal.throwIfAborted();
      if (next.done === true) {
        await write((encoder) => encoder.tail());
        return { outcome: next.value, events, instances: instances.count, skipped };
      }
      for (const some of inGroups(next.value, EVENTS_AT_ONCE)) {
        const masked: readonly MaskedEvent[] = wanted(some).map(toMasked);
        events += masked.length;
        watch?.events(masked);
        await write((encoder) => encoder.rows(masked));
      }
    }
  } finally {
    await batches.return(undefined as never);
  }
}

function watchedMask(mask: Mask, watch: Watcher | undefined): Mask {
  if (watch === undefined) return mask;
  return ((value: string | null) => {
    watch.identifier(value);
    return mask(value);
  }) as Mask;
}

function exclusion(settings: Pumping['settings'], instance: TraceEvent['instance']): string | undefined {
  if (instance.userId !== null && settings.excludeUsers.has(instance.userId)) return 'excludedUser';
  if (instance.projectId !== null && settings.excludeProjects.has(instance.projectId))
    return 'excludedProject';
  return undefined;
}
