import { ClockError } from '../errors.ts';
import { storeClock } from '../store/bucket.ts';
import { MINUTE, iso } from '../time.ts';
import type { Invocation } from './invocation.ts';

/** More than clocks that are kept by NTP ever differ. */
const TOLERATED = 5 * MINUTE;

/**
 * Holds this machine's clock against the source's and the store's, before a run fixes anything by it.
 *
 * @throws ClockError where they differ by more than five minutes
 */
export async function refuseWrongClock({
  source,
  bucket,
  layout,
  signal,
}: Pick<Invocation, 'source' | 'bucket' | 'layout' | 'signal'>): Promise<void> {
  const others = {
    'the store': await storeClock(bucket, layout.trace, signal),
    'the source': await source.clock(signal),
  };
  const here = Date.now() / 1000;
  for (const [whose, there] of Object.entries(others)) {
    if (there === null || Math.abs(there - here) <= TOLERATED) continue;
    throw new ClockError(
      `clock: ${whose} says ${iso(Math.floor(there))}, this machine ${iso(Math.floor(here))}; accepted: at most ` +
        `${TOLERATED / MINUTE} minutes apart, for this run fixes where the trace begins; set the clocks by NTP`,
    );
  }
}
