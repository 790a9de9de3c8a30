import { writeSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { UNMASKED } from '../support/nova/scene.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import { type Stage, startStage } from '../support/stage.ts';
import { type Step, StepError, type Tally, planSteps, play } from './model.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_125);
const STEPS = Number(process.env['TEST_STEPS'] ?? 600);
const LENGTH = 120;

let db: MariaDb;
let stage: Stage;
let cells: Cell[];
let plays = 0;
const total: Tally = { replaced: 0, refused: 0, backfilled: 0 };

beforeAll(async () => {
  db = await startMariaDb();
  cells = [await createCell(db, 'cell1'), await createCell(db, 'cell2')];
  stage = await startStage({ env: UNMASKED });
  const dsns = Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn()]));
  await stage.setSecret(JSON.stringify({ cells: dsns, ssl: 'off' }));
});
afterAll(async () => {
  await stage.stop();
  await db.stop();
});

async function failureOf(steps: readonly Step[]): Promise<StepError | undefined> {
  try {
    const { replaced, refused, backfilled } = await play(stage, cells, `m${++plays}`, steps);
    total.replaced += replaced;
    total.refused += refused;
    total.backfilled += backfilled;
    return undefined;
  } catch (error) {
    return error instanceof StepError ? error : new StepError(steps.length, error);
  }
}

/** Leaves out what the failure does not need. */
async function shrink(steps: readonly Step[]): Promise<readonly Step[]> {
  let least = steps;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < least.length;) {
      const without = [...least.slice(0, at), ...least.slice(at + size)];
      if ((await failureOf(without)) === undefined) at += size;
      else least = without;
    }
  }
  return least;
}

test(`over ${STEPS} steps of a cloud and its runs, every drop holds what a simple model says (seed ${SEED})`, async () => {
  const counts = new Map<string, number>();
  for (let nth = 0; nth * LENGTH < STEPS; nth++) {
    const steps = planSteps(SEED + nth, LENGTH);
    const failure = await failureOf(steps);
    if (failure !== undefined) {
      writeSync(1, `\nseed ${SEED + nth}: ${failure.message}\n`);
      const least = await shrink(steps.slice(0, failure.step + 1));
      const { message } = (await failureOf(least)) ?? failure;
      throw new Error(`seed ${SEED + nth}: ${message}\nafter ${JSON.stringify(least)}`);
    }
    for (const { kind } of steps) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  expect(plays).toBe(Math.ceil(STEPS / LENGTH));
  expect(total.replaced).toBeGreaterThan(0);
  expect(total.backfilled).toBeGreaterThan(0);
  const said = [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ');
  if (process.env['TEST_STEPS'] !== undefined)
    writeSync(
      1,
      `\n${STEPS} steps (seed ${SEED}): ${said}; ${total.replaced} replaced, ${total.refused} refused, ${total.backfilled} events backfilled\n`,
    );
});
