import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openThrottle } from '../../../../lib/source/api/throttle.ts';

describe('The throttle of the API source', () => {
  test('widens by one a round of answers, up to the bound', async () => {
    const throttle = openThrottle(6);
    expect(throttle.width).toBe(4);
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: throttle.width }, () => throttle.run(async () => undefined)));
    }
    expect(throttle.width).toBe(6);
  });

  test('never lets more run than its width', async () => {
    const throttle = openThrottle(3);
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

  test('halves where the server is overloaded, once for all that were under way, and never below one', () => {
    const throttle = openThrottle(8);
    const started = performance.now();
    throttle.slowDown(started);
    throttle.slowDown(started);
    expect(throttle.width).toBe(2);
    throttle.slowDown(performance.now());
    throttle.slowDown(performance.now());
    throttle.slowDown(performance.now());
    expect(throttle.width).toBe(1);
  });

  test('goes on after a task that fails', async () => {
    const throttle = openThrottle(1);
    const failing = throttle.run(() => Promise.reject(new Error('no')));
    const next = throttle.run(async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});
