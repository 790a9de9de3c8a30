import { DeadlineError } from '../core/errors.ts';

/** Time that is reserved at the end of an invocation to abort uploads and answer. */
const RESERVE_MS = 15_000;

export interface Deadline extends Disposable {
  /** Aborts with a DeadlineError when only the reserve is left. */
  readonly signal: AbortSignal;
  /** Milliseconds until then. */
  remaining(): number;
}

/** A window may take this much longer than the longest so far; it is left if that does not fit into the time. */
export const SAFETY = 1.5;

/** @param lifetime milliseconds until the runtime ends the invocation */
export function createDeadline(lifetime: number): Deadline {
  const ends = performance.now() + lifetime - Math.min(RESERVE_MS, lifetime / 4);
  const remaining = (): number => Math.max(0, ends - performance.now());
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DeadlineError('the invocation’s time is over')),
    remaining(),
  );
  return { signal: controller.signal, remaining, [Symbol.dispose]: () => clearTimeout(timer) };
}
