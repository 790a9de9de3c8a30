import { latestEdge } from '../../lib/backfill/request.ts';
import { InputError, StarError, UnexpectedError } from '../../lib/core/errors.ts';
import { MINUTE, iso } from '../../lib/core/time.ts';
import { execute } from '../support/release.ts';
import { readObjects, tracesAmong } from '../support/trace/read.ts';
import type { PlannedRun, Range, Schedule } from './schedule.ts';
import type { Tally } from './tally.ts';
import type { World } from './world.ts';

/** How much later than its lifetime a run may end on a busy machine; only one that hangs takes longer. */
const RESERVE_MS = 120_000;
/** Plan, groups at once, Verify. */
const STEPS = 3;

export interface Outcome {
  readonly name: string;
  readonly wrong?: string;
}

/**
 * Invokes what was planned, and tells what came of it.
 *
 * @param limit up to where a backfill may publish
 */
export async function invoke(
  world: World,
  run: PlannedRun,
  limit: number,
  execution: string,
): Promise<Outcome> {
  const { lifetimeMs, what } = run;
  const steps = what !== 'schedule' && what.release !== undefined ? STEPS : 1;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Outcome>((resolve) => {
    const late = { name: 'hangs', wrong: `a run of ${lifetimeMs} ms did not end` };
    timer = setTimeout(() => resolve(late), steps * (lifetimeMs + RESERVE_MS));
  });
  const ended = perform(world, run, limit, execution).then(
    (name): Outcome => ({ name }),
    (error: unknown): Outcome => {
      if (error instanceof InputError && !MAY_BE_REFUSED.test(error.message))
        return { name: error.name, wrong: `refused: ${error.message}` };
      if (error instanceof StarError && !(error instanceof UnexpectedError)) return { name: error.name };
      const cause = error instanceof UnexpectedError ? error.cause : error;
      const { name, message, stack } = cause instanceof Error ? cause : new Error(String(cause));
      return { name: `not ours: ${name}`, wrong: `failed with ${name}: ${message} ${stack}` };
    },
  );
  try {
    return await Promise.race([ended, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Two that begin a trace at once; a range of which the source has nothing. */
const MAY_BE_REFUSED = /another run has just begun|of which the source has nothing/;

async function perform(
  { stage }: World,
  { time, lifetimeMs, what }: PlannedRun,
  limit: number,
  execution: string,
): Promise<string> {
  if (what === 'schedule') return (await stage.run(time, lifetimeMs)).status;
  if (what.release !== undefined) {
    await execute(stage, execution, eventOf(what), { lifetimeMs });
    return 'complete';
  }
  if (what.start >= limit) return 'nothing to publish';
  const event = { ...eventOf(what), end: iso(Math.min(what.end, limit)) };
  return (await stage.backfill(event, lifetimeMs)).status;
}

function eventOf({ start, end, release }: Range): object {
  return { start: iso(start), end: iso(end), ...(release === undefined ? {} : { release }) };
}

/** Up to where a backfill may publish. Long ago nobody but the schedule may begin the trace. */
export async function limitOf({ stage }: World, { isRecent, windowMinutes }: Schedule): Promise<number> {
  const state = `${stage.env['STAR_PREFIX'] ?? ''}/cloud=test/state/`;
  const begin = tracesAmong(await readObjects(stage.client, state)).get('test')?.fixed?.begin;
  const edge = latestEdge(Date.now() / 1000, windowMinutes * MINUTE);
  return Math.min(begin ?? (isRecent ? edge : -Infinity), edge);
}

/** Backfills everything up to a limit, and completes the releases that were asked for, without faults. */
export async function complete(
  world: World,
  schedule: Schedule,
  limit: number,
  releases: Map<string, Range>,
  tally: Tally,
): Promise<string[]> {
  const { stage } = world;
  const wrong: string[] = [];
  const { start: from, seed } = schedule;
  if (from < limit) {
    tally.reruns++;
    const { status, message } = await stage.backfill({ start: iso(from), end: iso(limit) });
    if (status !== 'published') wrong.push(`a backfill without faults: ${message}`);
  }
  for (const [name, range] of releases) {
    tally.reruns++;
    await execute(stage, `s${seed}-${name}-last`, eventOf(range)).catch((error: unknown) => {
      // What began before the first event.
      if (error instanceof InputError && MAY_BE_REFUSED.test(error.message)) releases.delete(name);
      else wrong.push(`a release without faults failed: ${String(error)}`);
    });
  }
  return wrong;
}
