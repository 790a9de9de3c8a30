import type { Seconds } from '../../lib/core/time.ts';
import type * as Sessions from '../../lib/source/nova-db/session.ts';

/** By the clock of the cloud's databases. */
export const clock: { now: Seconds } = { now: 0 };

/**
 * Snapshots of databases begin when the cloud stands, which lives in the past. Give it to `vi.mock` of the module that
 * opens them.
 */
export async function byTheCloud(original: () => Promise<unknown>): Promise<typeof Sessions> {
  const real = (await original()) as typeof Sessions;
  return {
    ...real,
    openCell: async (...of) => ({ ...(await real.openCell(...of)), began: clock.now }),
  };
}
