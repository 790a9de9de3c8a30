/**
 * Requests the next item while the current one is being processed. A reader that runs ahead may fail after its consumer
 * has ended; that failure is dropped.
 */
export function ahead<T, R>(reader: AsyncGenerator<T, R, void>): Promise<IteratorResult<T, R>> {
  const next = reader.next();
  next.catch(() => undefined);
  return next;
}

/** Yields what `items` yields, reading one item ahead of the consumer. */
export async function* readAhead<T>(items: AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void> {
  let next = ahead(items);
  try {
    for (;;) {
      const item = await next;
      if (item.done === true) return;
      next = ahead(items);
      yield item.value;
    }
  } finally {
    await Promise.allSettled([next]);
    await items.return();
  }
}
