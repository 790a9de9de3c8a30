import { randomUUID } from 'node:crypto';
import { InputError } from '../core/errors.ts';
import { refuseAlike } from './alike.ts';
import { refuseWrongClock } from './clocks.ts';
import type { Invocation } from './invocation.ts';
import type { Place } from './place.ts';
import type { Trace } from './trace.ts';

/**
 * Makes sure that clocks agree, and before a trace begins, that no other trace has a name alike and that the store
 * compares and swaps. A run asks before it publishes its first window: nothing can repair later what a wrong clock fixed,
 * or what a store lost that ignores conditions.
 *
 * @param trace undefined if no run has begun it
 * @throws ClockError, InputError
 */
export async function refuseUnfit(
  invocation: Pick<Invocation, 'source' | 'store' | 'layout' | 'signal' | 'log' | 'settings'>,
  trace: Trace | undefined,
): Promise<void> {
  await refuseWrongClock(invocation);
  if (trace !== undefined) return;
  await refuseAlike(invocation);
  await refuseUnfitStore(invocation);
}

/** @throws InputError naming what the store does not do */
async function refuseUnfitStore({ store, layout, signal }: Place): Promise<void> {
  const lacking = await store.probe(`${layout.probes}${randomUUID()}.json`, signal);
  if (lacking.length === 0) return;
  throw new InputError(
    `${store.name}: the store ignores ${lacking.join(', ')}, so that two runs could publish the same window; ` +
      'accepted: a store that keeps these conditions, such as Amazon S3, or a folder',
  );
}
