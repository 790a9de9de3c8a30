import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../support/aws/faults.ts';
import { type MachineDays, expectExactlyOnce, startMachineDays } from '../support/machine-days.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';

let db: MariaDb;
let days: MachineDays;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  days = await startMachineDays(db);
});
afterEach(() => days.scene.stop());

/** Is not asked again by the client, which would take its time. */
const DEAD: Fault = { status: 403, code: 'AccessDenied' };

interface Gap {
  /** What happens to the first run at its request: nothing of it, or all of it, is done. */
  readonly kill?: 'before' | 'after';
  /** Whether another run comes and goes while it stands there. */
  readonly isOvertaken?: boolean;
}

/** One request further on each day, until a run has none left; gives how many it had. */
async function meetEveryRequest({ kill, isOvertaken = false }: Gap): Promise<number> {
  for (let met = 0; ; met++) {
    const nth = await days.live();
    let requests = 0;
    let isDead = false;
    let isMet = false;
    days.onS3Request = async () => {
      // The other run is left alone.
      if (isMet && !isDead) return undefined;
      if (isDead) return DEAD;
      if (++requests !== nth) return undefined;
      isMet = true;
      if (isOvertaken) await days.run();
      isDead = kill !== undefined;
      if (kill === undefined) return undefined;
      return kill === 'after' ? { ...DEAD, when: 'after' } : DEAD;
    };
    const first = days.run();
    if (kill === undefined) await first;
    else await first.catch(() => undefined);
    days.onS3Request = undefined;
    await days.run();
    if (!isMet) return met;
  }
}

describe('Machine events are each in one drop', () => {
  test.each<[string, Gap]>([
    ['killed before any of its requests', { kill: 'before' }],
    ['killed after any of its requests', { kill: 'after' }],
    ['that stands before any of its requests while another comes and goes', { isOvertaken: true }],
    ['killed there', { kill: 'before', isOvertaken: true }],
  ])('after a run %s', async (_, gap) => {
    expect(await meetEveryRequest(gap)).toBeGreaterThan(15);
    await expectExactlyOnce(days);
  });
});
