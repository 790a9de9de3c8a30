import { describe, expect, test } from 'vitest';
import { inOrder } from '../../../lib/source/order.ts';
import type { Batch } from '../../../lib/source/source.ts';
import type { TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import { traceEvent } from '../../support/records.ts';

async function* batches(
  ...given: [starts: number[], watermark: number][]
): AsyncGenerator<Batch<TraceEvent>, string, void> {
  for (const [starts, watermark] of given)
    yield { rows: starts.map((start) => traceEvent({ start })), watermark };
  return 'outcome';
}

async function drain(
  source: AsyncGenerator<Batch<TraceEvent>, string, void>,
): Promise<{ starts: number[][]; outcome: string }> {
  const starts: number[][] = [];
  const ordered = inOrder(source, ({ start }) => start);
  for (;;) {
    const next = await ordered.next();
    if (next.done === true) return { starts, outcome: next.value };
    starts.push(next.value.map(({ start }) => start));
  }
}

describe('rows in order', () => {
  test('holds a row back until nothing earlier can come', async () => {
    const { starts, outcome } = await drain(batches([[3, 1, 5], 3], [[4, 3], 6], [[9, 7], Infinity]));
    expect(starts).toEqual([[1], [3, 3, 4, 5], [7, 9]]);
    expect(outcome).toBe('outcome');
  });

  test('gives what is left when the source ends without a last watermark', async () => {
    expect((await drain(batches([[2, 1], 0]))).starts).toEqual([[1, 2]]);
  });

  test('gives nothing of nothing', async () => {
    expect((await drain(batches([[], Infinity]))).starts).toEqual([]);
  });
});
