import { writeSync } from 'node:fs';
import * as fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import { type Stage, startStage } from '../support/stage.ts';
import type { Totals } from './oracle.ts';
import { type History, STATE_KEY, type StepKind, WEIGHTS, play } from './model.ts';
import { openTroubles } from './trouble.ts';

vi.mock('../../lib/source/nova-db/session.ts', async (original) =>
  (await import('./clock.ts')).byTheCloud(original),
);

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_125);
const STEPS = Number(process.env['TEST_STEPS'] ?? 30);
const isLong = process.env['TEST_STEPS'] !== undefined;
const LENGTH = 120;

let db: MariaDb;
let stage: Stage;
let cells: Cell[];
const troubles = openTroubles();

beforeAll(async () => {
  db = await startMariaDb();
  cells = [await createCell(db, 'cell1'), await createCell(db, 'cell2')];
  stage = await startStage({ onS3Request: (request) => troubles.onRequest(request) });
  const dsns = Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn()]));
  await stage.setSecret(JSON.stringify({ cells: dsns, ssl: 'off' }));
  await stage.createSecret(STATE_KEY, randomBytes(32));
});
afterAll(async () => {
  await stage.stop();
  await db.stop();
});

// A failing history gets shorter; what is left of it stays the same.
const seeds = fc.noShrink(fc.nat());
const kinds = fc.noShrink(
  fc.oneof(
    ...Object.entries(WEIGHTS).map(([kind, weight]) => ({
      weight,
      arbitrary: fc.constant(kind as StepKind),
    })),
  ),
);
const histories: fc.Arbitrary<History> = fc.record({
  seed: seeds,
  isRecent: fc.noShrink(fc.boolean()),
  machines: fc.noShrink(fc.constantFrom('none', 'told', 'told', 'named')),
  steps: fc.array(fc.record({ kind: kinds, seed: seeds }), { minLength: 1, maxLength: LENGTH, size: 'max' }),
});

test(`over ${STEPS} steps of a cloud, its runs, backfills and releases, every promise holds (seed ${SEED})`, async () => {
  const totals: Totals = {
    steps: 0,
    moves: 0,
    troubles: 0,
    scheduled: 0,
    backfilled: 0,
    released: 0,
    releases: 0,
    missed: 0,
    beforeBegin: 0,
    machineEvents: 0,
  };
  let plays = 0;
  const property = fc.asyncProperty(histories, (history) =>
    play(stage, troubles, cells, `m${++plays}`, history, totals),
  );
  for (let nth = 0; totals.steps < STEPS; nth++) {
    // A long run tells at once; the steps of one history get fewer when its seed is run alone.
    await fc.assert(property, { seed: SEED + nth, numRuns: 1, unbiased: true, endOnFailure: isLong });
    if (isLong && nth % 10 === 9) writeSync(1, `seed ${SEED}: ${totals.steps} steps\n`);
  }

  const { scheduled, backfilled, released, releases, beforeBegin, machineEvents, troubles: met } = totals;
  for (const came of [scheduled, backfilled, released, releases, machineEvents, met])
    expect(came).toBeGreaterThan(0);
  if (!isLong) return;
  writeSync(
    1,
    `\nseed ${SEED}: ${totals.steps} steps in ${plays} histories, ${totals.moves} moves, ${met} with a trouble; events: ` +
      `${scheduled} scheduled, ${backfilled} backfilled, ${released} in ${releases} releases; ` +
      `${totals.missed} visible too late for their drop, ${beforeBegin} counted as before begin; ${machineEvents} machine events\n`,
  );
});
