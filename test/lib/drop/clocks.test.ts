import { afterEach, describe, expect, test, vi } from 'vitest';
import { refuseWrongClock } from '../../../lib/drop/clocks.ts';
import { ClockError } from '../../../lib/core/errors.ts';
import type { Source } from '../../../lib/source/source.ts';
import { DAY, MINUTE, iso } from '../../../lib/core/time.ts';
import { useBucket } from '../../support/bucket.ts';

const YEAR = 365 * DAY;

const place = useBucket();

/** Sets the clock of this machine, and leaves those of the others. */
function turnClock(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
}
afterEach(() => {
  vi.useRealTimers();
  // By which the client has corrected the times that it signs.
  place.stage.client.config.systemClockOffset = 0;
});

/** What time it really is. */
const real = (): number => (performance.timeOrigin + performance.now()) / 1000;

/** @param offset of the source's clock from the real one; null where it tells none */
function compared(offset: number | null): Promise<void> {
  const { store, layout, signal } = place.newTrace();
  const source = { clock: async () => (offset === null ? null : real() + offset) } as unknown as Source;
  return refuseWrongClock({ source, store, layout, signal, log: () => undefined });
}

describe('The clock of this machine', () => {
  test.each([0, -4 * MINUTE, 4 * MINUTE, null])(
    'is accepted where it agrees with the store’s and the source’s (off by %s s)',
    async (offset) => {
      await expect(compared(offset)).resolves.toBeUndefined();
    },
  );

  test.each([-6 * MINUTE, 6 * MINUTE, YEAR])('is refused where the source’s is %s s off', async (offset) => {
    await expect(compared(offset)).rejects.toBeInstanceOf(ClockError);
    await expect(compared(offset)).rejects.toThrow(
      /^clock: the source says \d{4}-\S+Z, this machine \d{4}-\S+Z; accepted: at most 5 minutes apart, because the clock tells which windows are over; set the clocks by NTP$/,
    );
  });

  test.each([-YEAR, -6 * MINUTE, 6 * MINUTE, YEAR])(
    'is refused where it is itself %s s ahead',
    async (seconds) => {
      turnClock(seconds);
      await expect(compared(0)).rejects.toThrow(/^clock: the store says /);
    },
  );
});

describe('The store’s clock', () => {
  test('is the Date of its answer, for a key that is there and for one that is not', async () => {
    const { store, signal } = place.newTrace();
    const expectNow = async (): Promise<void> => {
      const told = await store.clock(place.key, signal);
      expect(Math.abs((told ?? 0) - real())).toBeLessThan(MINUTE);
    };
    await expectNow();
    await place.put('{}');
    await expectNow();
  });

  test('is not this machine’s', async () => {
    const { store, signal } = place.newTrace();
    turnClock(YEAR);
    const told = (await store.clock(place.key, signal)) ?? 0;
    expect(iso(Math.floor(told)).slice(0, 4)).not.toBe(iso(Math.floor(Date.now() / 1000)).slice(0, 4));
  });

  test('that cannot be asked is an error of the store', async () => {
    const { store, signal } = place.newTrace();
    place.onRequest = () => ({ status: 403, code: 'AccessDenied' });
    await expect(store.clock(place.key, signal)).rejects.toMatchObject({ name: 'StoreError' });
  });
});
