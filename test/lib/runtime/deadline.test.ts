import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDeadline } from '../../../lib/runtime/deadline.ts';
import { DeadlineError } from '../../../lib/core/errors.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

test.each([
  [900_000, 885_000],
  [60_000, 45_000],
  [2000, 1500],
])('of an invocation of %i ms work ends after %i', (lifetime, ends) => {
  using deadline = createDeadline(lifetime);
  expect(deadline.remaining()).toBe(ends);
  vi.advanceTimersByTime(ends - 1);
  expect([deadline.signal.aborted, deadline.remaining()]).toEqual([false, 1]);
  vi.advanceTimersByTime(1);
  expect([deadline.signal.aborted, deadline.remaining()]).toEqual([true, 0]);
  expect(deadline.signal.reason).toBeInstanceOf(DeadlineError);
});

test('a deadline that is given up ends nothing', () => {
  const deadline = createDeadline(60_000);
  deadline[Symbol.dispose]();
  vi.advanceTimersByTime(120_000);
  expect(deadline.signal.aborted).toBe(false);
});
