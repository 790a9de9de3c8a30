import type * as Timers from 'node:timers/promises';

/**
 * What the function waits for before it tries again, a fiftieth as long. Give it to `vi.mock('node:timers/promises')`;
 * the SDK's own retries take their time.
 */
export async function quickly(importOriginal: () => Promise<typeof Timers>): Promise<object> {
  const original = await importOriginal();
  const setTimeout = (ms: number, value?: unknown, options?: object): Promise<unknown> =>
    original.setTimeout(ms / 50, value, options);
  return { ...original, default: original, setTimeout };
}
