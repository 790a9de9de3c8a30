import { ClockError } from '../core/errors.ts';
import { MINUTE, iso } from '../core/time.ts';
import type { Invocation } from './invocation.ts';
import { readAgain } from './read-again.ts';

/** Clocks that NTP sets never differ by this much. */
export const TOLERATED = 5 * MINUTE;

/**
 * Compares this machine's clock with the source's and the store's, before a run goes by it: it says which windows are over, and
 * where a trace begins.
 *
 * @throws ClockError if they differ by more than five minutes
 */
export async function refuseWrongClock(
  invocation: Pick<Invocation, 'source' | 'store' | 'layout' | 'signal' | 'log'>,
): Promise<void> {
  const { source, store, layout, signal } = invocation;
  const others = {
    'the store': await store.clock(layout.trace, signal),
    'the source': await readAgain(invocation, () => source.clock(signal)),
  };
  const here = Date.now() / 1000;
  for (const [whose, there] of Object.entries(others)) {
    if (there === null || Math.abs(there - here) <= TOLERATED) continue;
    throw new ClockError(
      `clock: ${whose} says ${iso(Math.floor(there))}, this machine ${iso(Math.floor(here))}; accepted: at most ` +
        `${TOLERATED / MINUTE} minutes apart, because the clock tells which windows are over; set the clocks by NTP`,
    );
  }
}
