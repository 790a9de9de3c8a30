import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Throttle, openThrottle } from '../../../../lib/source/nova-api/throttle.ts';

const never = new AbortController().signal;

/** How many run at once of more than may. They fail, for answers would widen it. */
async function widthOf(throttle: Throttle): Promise<number> {
  const gate = Promise.withResolvers<never>();
  let running = 0;
  const tasks = Array.from({ length: 20 }, () =>
    throttle.run(() => {
      running++;
      return gate.promise;
    }),
  );
  await delay(1);
  const width = running;
  gate.reject(new Error('enough'));
  await Promise.allSettled(tasks);
  return width;
}

describe('The throttle of the API source', () => {
  test('widens by one a round of answers, up to the bound', async () => {
    const throttle = openThrottle(6, never);
    expect(await widthOf(throttle)).toBe(4);
    for (let round = 0; round < 5; round++) {
      const width = await widthOf(throttle);
      await Promise.all(Array.from({ length: width }, () => throttle.run(async () => undefined)));
    }
    expect(await widthOf(throttle)).toBe(6);
  });

  test('never lets more run than its width', async () => {
    const throttle = openThrottle(3, never);
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 40 }, () =>
        throttle.run(async () => {
          most = Math.max(most, ++running);
          await delay(1);
          running--;
        }),
      ),
    );
    expect(most).toBe(3);
  });

  test('halves where the server is overloaded, once for all that were under way, and never below one', async () => {
    const throttle = openThrottle(8, never);
    const started = performance.now();
    throttle.slowDown(started);
    throttle.slowDown(started);
    expect(await widthOf(throttle)).toBe(2);
    throttle.slowDown(performance.now());
    throttle.slowDown(performance.now());
    throttle.slowDown(performance.now());
    expect(await widthOf(throttle)).toBe(1);
  });

  test('lets all others wait as well where the server asks to be left alone', async () => {
    const controller = new AbortController();
    const throttle = openThrottle(4, controller.signal);
    throttle.slowDown(performance.now(), 3600);
    let isRun = false;
    const run = throttle.run(async () => (isRun = true));
    await delay(20);
    expect(isRun).toBe(false);
    controller.abort();
    expect(await run).toBe(true);
  });

  test('lets others wait no longer than the server asks for', async () => {
    const throttle = openThrottle(4, never);
    throttle.slowDown(performance.now(), 0.05);
    expect(await throttle.run(async () => 'run')).toBe('run');
  });

  test('lets nobody wait once the invocation is over', async () => {
    const controller = new AbortController();
    const throttle = openThrottle(1, controller.signal);
    throttle.slowDown(performance.now(), 3600);
    const waiting = Promise.all([throttle.run(async () => 1), throttle.run(async () => 2)]);
    controller.abort();
    expect(await waiting).toEqual([1, 2]);
  });

  test('goes on after a task that fails', async () => {
    const throttle = openThrottle(1, never);
    const failing = throttle.run(() => Promise.reject(new Error('no')));
    const next = throttle.run(async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});
