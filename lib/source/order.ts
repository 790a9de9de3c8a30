import type { Batch, TraceEvent } from './source.ts';

/**
 * Puts a source's batches in order of start time, ties in the order in which they came. Holds back only what the
 * watermark has not passed: for a source that goes by primary key, a few minutes of events.
 */
export async function* inStartOrder<R>(
  batches: AsyncGenerator<Batch, R, void>,
): AsyncGenerator<readonly TraceEvent[], R, void> {
  let held: TraceEvent[] = [];
  try {
    for (;;) {
      const next = await batches.next();
      if (next.done === true) {
        if (held.length > 0) yield held.toSorted(byStart);
        return next.value;
      }
      const { events, watermark } = next.value;
      held = held.length === 0 ? [...events] : held.concat(events);
      const ready = held.filter((event) => event.start < watermark);
      held = ready.length === held.length ? [] : held.filter((event) => event.start >= watermark);
      if (ready.length > 0) yield ready.toSorted(byStart);
    }
  } finally {
    // A consumer that fails ends this generator only; the source has connections to close.
    await batches.return(undefined as never);
  }
}

function byStart(a: TraceEvent, b: TraceEvent): number {
  return a.start - b.start;
}
