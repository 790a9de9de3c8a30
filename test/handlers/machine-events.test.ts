import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type MachineDays, expectExactlyOnce, startMachineDays } from '../support/machine-days.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';

let db: MariaDb;
let days: MachineDays;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  days = await startMachineDays(db);
});
afterEach(() => days.scene.stop());

describe('Machine events', () => {
  test('are each in one drop, whichever write of a run the store refuses, and after archive and purge', async () => {
    let refusals = 0;
    // One write further on each day, until a run has none left to refuse.
    for (let isRefused = true; isRefused;) {
      const refuseAt = await days.live();
      let writes = 0;
      isRefused = false;
      days.onS3Request = ({ operation }) => {
        if (operation !== 'PutObject' || ++writes !== refuseAt) return undefined;
        isRefused = true;
        return { status: 403, code: 'AccessDenied' };
      };
      await days.run().catch(() => undefined);
      days.onS3Request = undefined;
      if (isRefused) refusals++;
      await days.run();
    }
    expect(refusals).toBeGreaterThan(5);
    await expectExactlyOnce(days);
  }, 240_000);

  test('are each in one drop with two runs at once', async () => {
    for (let nth = 0; nth < 4; nth++) {
      await days.live();
      await Promise.allSettled([days.run(), days.run()]);
      await days.run();
    }
    await expectExactlyOnce(days);
  }, 120_000);
});
