import type * as Timers from 'node:timers/promises';

/** What waits for another write of the same key; as long as a proxy may hold such a write back. */
const SHORT_MS = 450;

/**
 * What the function waits for before it tries again, a fiftieth as long, but for short waits. Give it to `vi.mock('node:timers/promises')`;
 * the SDK's own retries take their time.
 */
export async function quickly(importOriginal: () => Promise<typeof Timers>): Promise<object> {
  const original = await importOriginal();
  const setTimeout = (ms: number, value?: unknown, options?: object): Promise<unknown> =>
    original.setTimeout(ms > SHORT_MS ? ms / 50 : ms, value, options);
  return { ...original, default: original, setTimeout };
}
