import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { eventsOf, listKeys } from '../support/drops.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { replay } from '../support/nova/history.ts';
import { seeded } from '../support/nova/prng.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import {
  EQUAL,
  type BothSources,
  compareBothSources,
  startBothSources,
} from '../support/nova/both-sources.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_125);
const START = Date.UTC(2026, 9, 1) / 1000;

let db: MariaDb;
let both: BothSources;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  // Small pages, so that there are many.
  both = await startBothSources(db, { maxLimit: 20 });
  // Operations that are moved to midnight may come after their server's deletion, which the API does not show.
  const history = { seed: SEED, start: START, days: 2, eventsPerDay: 200, mix: { straddle: 0 } };
  const { changes } = randomHistory(history);
  await replay(both.cells, changes).applyUntil(morning(2));
  both.now = morning(2);
});
afterEach(() => both.stop());

const morning = (day: number): number => START + day * DAY + 45 * MINUTE;

/** Both days by both sources. */
async function dropBoth(): Promise<void> {
  for (const stage of [both.overApi, both.fromDatabase]) {
    await stage.run(morning(1));
    await stage.run(morning(2));
  }
}

async function expectNothingPublished(): Promise<void> {
  const keys = await listKeys(both.overApi.client);
  expect(keys.filter((key) => !key.includes('/state/'))).toEqual([]);
}

describe(`A troubled fake of the Nova API (seed ${SEED})`, () => {
  test('that answers 5 % with 500 and 5 % with 429, resets every 50th connection and forgets tokens gives whole drops', async () => {
    const random = seeded(SEED);
    const met = { failed: 0, limited: 0, reset: 0, tokens: 0 };
    let requests = 0;
    both.openstack.onRequest = ({ kind }) => {
      requests++;
      if (requests % 100 === 0) {
        met.tokens++;
        both.openstack.revokeTokens();
      }
      if (requests % 50 === 0) {
        met.reset++;
        return { reset: true };
      }
      if (random.chance(0.05)) {
        met.failed++;
        return { status: 500, body: { computeFault: { code: 500, message: 'Unexpected API Error.' } } };
      }
      if (random.chance(0.05) && kind !== 'token') {
        met.limited++;
        return { status: 429, headers: { 'retry-after': random.chance(0.2) ? '1' : '0' } };
      }
      return undefined;
    };
    await dropBoth();
    const { api, database: _, ...differences } = await compareBothSources(both);
    expect(differences).toEqual(EQUAL);
    expect(api.reduce((sum, { manifest }) => sum + eventsOf(manifest).counts.rows, 0)).toBeGreaterThan(100);
    for (const count of Object.values(met)) expect(count).toBeGreaterThan(1);
  });

  test('that cuts answers short, and has a proxy which answers in its place, gives whole drops', async () => {
    const random = seeded(SEED + 1);
    let cut = 0;
    // A web page in the place of Keystone, or of Nova's versions, is told at once: a wrong URL gives the same.
    const known: readonly string[] = ['servers', 'actions', 'action', 'services'];
    both.openstack.onRequest = ({ kind }) => {
      if (!random.chance(0.1)) return undefined;
      cut++;
      const isCut = random.chance(0.5) || !known.includes(kind);
      return isCut ? { truncate: Math.floor(random.between(1, 60)) } : { garbage: true };
    };
    await dropBoth();
    const { api: _api, database: _database, ...differences } = await compareBothSources(both);
    expect(differences).toEqual(EQUAL);
    expect(cut).toBeGreaterThan(20);
  });

  test('whose tokens are good for three requests each gives whole drops, and a new one costs a request', async () => {
    const met = { requests: 0, revoked: 0, tokens: 0 };
    both.openstack.onRequest = ({ kind }) => {
      if (kind === 'token') met.tokens++;
      else if (++met.requests % 3 === 0) {
        met.revoked++;
        both.openstack.revokeTokens();
      }
    };
    both.overApi.env['STAR_API_CONCURRENCY'] = '1';
    await dropBoth();
    // One at the start of each run, and one by which the first asks for the time.
    expect(met.tokens).toBe(3 + met.revoked);
    expect(met.revoked).toBeGreaterThan(20);
    const { api: _api, database: _database, ...differences } = await compareBothSources(both);
    expect(differences).toEqual(EQUAL);
  });

  test('that is slow and gets slower gives whole drops', async () => {
    const random = seeded(SEED + 2);
    let most = 0;
    both.openstack.onRequest = async () => {
      await delay(random.between(0, (most += 0.1)));
    };
    await dropBoth();
    const { api: _api, database: _database, ...differences } = await compareBothSources(both);
    expect(differences).toEqual(EQUAL);
    expect(most).toBeGreaterThan(20);
  });

  test('that loses a server between two pages of a list gives whole drops', async () => {
    // What another archives while we read: a marker that vanishes.
    let vanished = 0;
    both.openstack.onRequest = ({ kind, query }) => {
      if (kind !== 'servers' || query['marker'] === undefined || ++vanished % 4 !== 1) return undefined;
      return {
        status: 400,
        body: { badRequest: { code: 400, message: `marker [${query['marker']}] not found` } },
      };
    };
    await dropBoth();
    const { api: _api, database: _database, ...differences } = await compareBothSources(both);
    expect(differences).toEqual(EQUAL);
    expect(vanished).toBeGreaterThan(4);
  });

  test('that keeps failing fails the run in time, and nothing is published', async () => {
    let actions = 0;
    both.openstack.onRequest = ({ kind }) =>
      kind === 'action' && ++actions > 20 ? { status: 503 } : undefined;
    await expect(both.overApi.run(morning(1), 4000)).rejects.toThrow(
      /time was over before window 2026-10-01/,
    );
    await expectNothingPublished();

    both.openstack.onRequest = undefined;
    await dropBoth();
    const { api: _api, database: _database, ...differences } = await compareBothSources(both);
    expect(differences).toEqual(EQUAL);
  });

  test('that asks to come back after the deadline is not waited for', async () => {
    both.openstack.onRequest = ({ kind }) =>
      kind === 'actions' ? { status: 429, headers: { 'retry-after': '3600' } } : undefined;
    await expect(both.overApi.run(morning(1), 3000)).rejects.toThrow(/time was over/);
    await expectNothingPublished();
  });

  test.each([
    [
      'an ordinary user',
      { kind: 'servers', status: 403 },
      /Nova: the list of servers: this user may not see that \(403\)/,
    ],
    [
      'who may not see actions',
      { kind: 'action', status: 403 },
      /Nova: the events of an action: this user may not/,
    ],
    [
      'whom Keystone does not know',
      { kind: 'token', status: 401 },
      /Keystone: a token: the credentials are refused/,
    ],
    [
      'whose token is never accepted',
      { kind: 'servers', status: 401 },
      /the token is refused \(401\), and so is a new one/,
    ],
    ['who is led elsewhere', { kind: 'servers', status: 301 }, /answered 301.*is the URL right/],
  ])('that does not serve %s fails the run at once, and nothing is published', async (_, fault, message) => {
    both.openstack.onRequest = ({ kind }) =>
      kind === fault.kind ? { status: fault.status, body: {} } : undefined;
    await expect(both.overApi.run(morning(1))).rejects.toThrow(message);
    await expectNothingPublished();
  });

  test('that hides the hosts of events from the user fails the run: the server’s own host would stand in silently', async () => {
    both.openstack.onRequest = ({ kind }) => {
      const event = {
        event: 'compute_stop_instance',
        start_time: '2026-10-01T01:00:00.000000',
        finish_time: null,
      };
      return kind === 'action' ? { status: 200, body: { instanceAction: { events: [event] } } } : undefined;
    };
    await expect(both.overApi.run(morning(1))).rejects.toThrow(/their hosts are not shown to this user/);
    await expectNothingPublished();
  });

  test('that refuses to go on with a list fails the run, instead of being asked for ever', async () => {
    both.openstack.onRequest = ({ kind, query }) =>
      kind === 'servers' && query['marker'] !== undefined ? { status: 400, body: {} } : undefined;
    await expect(both.overApi.run(morning(1))).rejects.toThrow(/markers were refused/);
    expect(both.openstack.requests().length).toBeLessThan(200);
    await expectNothingPublished();
  });

  test('that hides events from the user fails the run: no events are not the same as hidden ones', async () => {
    both.openstack.onRequest = ({ kind }) =>
      kind === 'action' ? { status: 200, body: { instanceAction: { action: 'create' } } } : undefined;
    await expect(both.overApi.run(morning(1))).rejects.toThrow(
      /the events of an action: .*instanceAction\.events/,
    );
    await expectNothingPublished();
  });
});
