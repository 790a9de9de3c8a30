import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseSecret } from '../../lib/connection/secret.ts';
import { StarError } from '../../lib/core/errors.ts';
import { apiSource } from '../../lib/source/nova-api/nova-api.ts';
import { DAY } from '../../lib/core/time.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { replay } from '../support/nova/history.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import type { Listening } from '../support/aws/listen.ts';
import { instanceEvents } from '../../lib/tables/instance-events/table.ts';
import { startForwarder } from '../support/openstack/forwarder.ts';
import { type LocalOpenStack, startOpenStack } from '../support/openstack/index.ts';
import { loggedOf, nearly } from './holds.ts';

// After a wrong answer the source asks again, with growing pauses.
vi.mock('node:timers/promises', async (original) =>
  (await import('../faults/quick-retries.ts')).quickly(original),
);

/** Every input is a whole reading of a window, so there are fewer. */
const RUNS = Math.max(40, Math.round(Number(process.env['FUZZ_RUNS'] ?? 0) / 20));
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_125);
const START = Date.UTC(2026, 8, 1) / 1000;

/** Many times what a reading takes that asks eight times; what takes longer hangs. */
const PATIENCE_MS = 300_000;

let db: MariaDb;
let openstack: LocalOpenStack;
let proxy: Listening;
/** That Keystone has given out. */
const tokens = new Set<string>();
/** Makes of an answer's JSON another; by the number of the answer. */
let mutate: ((json: object, nth: number) => unknown) | undefined;

beforeAll(async () => {
  db = await useMariaDb();
  const cells: Cell[] = [];
  for (const name of ['cell1', 'cell0']) cells.push(await createCell(db, name));
  const history = randomHistory({ seed: SEED, start: START, days: 2, eventsPerDay: 12 });
  await replay(cells, history.changes).applyUntil(START + 2 * DAY);
  openstack = await startOpenStack({ cells, now: () => START + 2 * DAY });
  proxy = await startProxy();
});
afterAll(async () => {
  await proxy.stop();
  await openstack.stop();
  await db.stop();
});

/** Between the function and the fake: changes what comes back. The catalogue points here as well. */
async function startProxy(): Promise<Listening> {
  const origin = new URL(openstack.authUrl).origin;
  let answers = 0;
  return startForwarder(origin, (body, headers) => {
    const token = headers.get('x-subject-token');
    if (token !== null) tokens.add(token);
    const own = body.replaceAll(origin, proxy.endpoint);
    const json: unknown = own.startsWith('{') ? JSON.parse(own) : undefined;
    return json === undefined || mutate === undefined
      ? own
      : JSON.stringify(mutate(json as object, answers++));
  });
}

async function readWindow(): Promise<number> {
  const secret = openstack.secret('json').replaceAll(new URL(openstack.authUrl).origin, proxy.endpoint);
  const connection = await parseSecret(secret);
  if (connection.kind !== 'api') throw new Error('that is no API');
  const source = apiSource(connection, { concurrency: 4, sweepSeconds: 0, allowPartial: false });
  await using opened = await source.open(AbortSignal.timeout(PATIENCE_MS));
  const batches = opened.read(instanceEvents.name, {
    window: { start: START, end: START + DAY },
    state: undefined,
    openHorizonSeconds: 86_400 * 30,
    settleSeconds: 1800,
    begin: START,
    whole: false,
  });
  let events = 0;
  for await (const batch of batches) events += batch.rows.length;
  return events;
}

describe('Whatever Keystone and Nova answer (by a fake whose answers are changed on their way),', () => {
  test('a window is read, or refused by an error of our own that tells no token and no password', async () => {
    expect(await readWindow()).toBeGreaterThan(3);
    const password = JSON.parse(openstack.secret('json'))['OS_PASSWORD'] as string;
    const value = fc.oneof(
      fc.constantFrom(null, '', -1, {}, [], true, 'x', 1e308, '2025-13-45T99:00:00Z'),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    );
    const tried = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.nat(12), fc.nat(1_000_000), async (nth, seed) => {
        let first: number | undefined;
        mutate = (json, count) => {
          first ??= count;
          // One answer of the reading, whichever it is.
          return count - first === nth ? fc.sample(nearly([json], value), { seed, numRuns: 1 })[0] : json;
        };
        const outcome: unknown = await readWindow().then(
          () => undefined,
          (error: unknown) => error,
        );
        mutate = undefined;
        tried[outcome === undefined ? 'read' : 'refused']++;
        if (outcome === undefined) return;
        expect(outcome).toBeInstanceOf(StarError);
        const told = loggedOf(outcome);
        expect([password, ...tokens].filter((secret) => told.includes(secret))).toEqual([]);
      }),
      { numRuns: RUNS, seed: SEED },
    );
    expect(Math.min(tried.read, tried.refused)).toBeGreaterThan(0);
    expect(tokens.size).toBeGreaterThan(0);
    process.stdout.write(`answers: ${RUNS} readings, ${tried.read} read, ${tried.refused} refused\n`);
  });
});
