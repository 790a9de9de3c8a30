import { ahead } from '../ahead.ts';
import type { Batch } from '../source.ts';

/**
 * Reads all cells side by side, one batch ahead of the consumer, always going on with the one that is furthest
 * behind, so that little has to be held back to put their rows in one order.
 */
export async function* mergeCells<Row, O extends object>(
  readers: readonly AsyncGenerator<Batch<Row>, O, void>[],
): AsyncGenerator<Batch<Row>, O[], void> {
  const outcomes: O[] = [];
  const lanes = readers.map((reader, index) => ({
    index,
    reader,
    watermark: -Infinity,
    next: ahead(reader),
  }));
  try {
    for (;;) {
      const running = lanes.filter((lane) => outcomes[lane.index] === undefined);
      const [lane] = running.toSorted((a, b) => a.watermark - b.watermark);
      if (lane === undefined) return outcomes;
      const step = await lane.next;
      if (step.done === true) {
        outcomes[lane.index] = step.value;
        lane.watermark = Infinity;
        continue;
      }
      lane.watermark = step.value.watermark;
      lane.next = ahead(lane.reader);
      yield { rows: step.value.rows, watermark: Math.min(...lanes.map(({ watermark }) => watermark)) };
    }
  } finally {
    await Promise.allSettled(lanes.map(({ next }) => next));
  }
}
