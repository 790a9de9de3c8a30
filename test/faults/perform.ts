import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { StarError } from '../../lib/errors.ts';
import type { ScheduleSummary } from '../../lib/summary.ts';
import { MINUTE, iso } from '../../lib/time.ts';
import type { Fault } from '../support/aws/faults.ts';
import { replay } from '../support/nova/history.ts';
import type { RequestRecord } from '../support/s3/server.ts';
import { BUCKET } from '../support/stage.ts';
import { violations } from './check.ts';
import type { WireFault } from './proxy.ts';
import { type PlannedRun, SETTLE, type Schedule } from './schedule.ts';
import type { Tally } from './tally.ts';
import type { World } from './world.ts';

/** What a deployed function keeps free to clean up and answer; Lambda ends a run that takes longer. */
const RESERVE_MS = 15_000;
/** Where nothing goes wrong any more, this many runs are enough to have published everything. */
const RERUNS = 4;

/**
 * Performs a schedule, reruns without faults until all is published, and tells what does not hold then.
 *
 * @param prepare puts further rows into the emptied cells
 */
export async function perform(
  world: World,
  schedule: Schedule,
  tally: Tally,
  { isAllOfSource = true, prepare = () => Promise.resolve() } = {},
): Promise<string[]> {
  const { stage, proxies } = world;
  const prefix = `s${schedule.seed}`;
  Object.assign(stage.env, {
    STAR_PREFIX: prefix,
    STAR_WINDOW_MINUTES: String(schedule.windowMinutes),
    STAR_FORMATS: schedule.formats,
    STAR_MASKING: 'none',
    STAR_ALLOW_UNSAFE_MASKING: 'true',
  });
  await world.clear();
  await prepare();
  // Anew for each run: a test may have moved the databases.
  let shown = -Infinity;
  const show = async (time: number): Promise<void> => {
    const due = schedule.changes.filter(({ at }) => at > shown && at <= time);
    shown = Math.max(shown, time);
    world.now = shown;
    await replay(world.cells, due).applyUntil(time);
  };
  const wrong: string[] = [];
  /** Keys whose uploads nobody can abort: the answer that named them, or the abortion, was lost. */
  const excused = new Set<string>();
  tally.schedules++;

  for (const run of schedule.runs) {
    await show(run.time);
    proxies.source.set(run.source);
    proxies.s3.set(run.s3);
    world.onS3Request = requestFaults(run, tally, excused);
    const outcomes = await Promise.all(Array.from({ length: run.twice ? 2 : 1 }, () => invoke(world, run)));
    world.onS3Request = undefined;
    await world.ready();
    for (const outcome of outcomes) {
      tally.ran(outcome.name);
      if (outcome.wrong !== undefined) wrong.push(outcome.wrong);
    }
    for (const { fault } of proxies.source.met()) tally.met('source', nameOf(fault));
    for (const { fault, request } of proxies.s3.met()) {
      tally.met('S3', nameOf(fault));
      excuse(request, excused);
    }
  }

  proxies.source.set([]);
  proxies.s3.set([]);
  // A further window, in which everything that was shown after the last run comes late.
  const end = schedule.end + schedule.windowMinutes * MINUTE;
  const time = end + SETTLE;
  await show(time);
  let summary: ScheduleSummary | undefined;
  for (let rerun = 0; rerun < RERUNS && summary?.watermark !== iso(end); rerun++) {
    tally.reruns++;
    summary = await stage.run(time, 60_000).catch((error: unknown) => {
      wrong.push(`a run without faults failed: ${String(error)}`);
      return undefined;
    });
  }
  // What is held back arrives, and nothing is left to be done.
  await proxies.s3.settle();
  const { status } = await stage.run(time, 60_000);
  if (status !== 'upToDate') wrong.push(`when all was published, a run answered ${status}`);

  wrong.push(...(await violations(world, `${prefix}/`, end, { isAllOfSource })));
  const { Uploads = [] } = await stage.client.send(
    new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: `${prefix}/` }),
  );
  for (const { Key = '' } of Uploads) {
    if (excused.has(Key)) tally.orphans++;
    else wrong.push(`an upload of ${Key} is left`);
  }
  return wrong;
}

interface Outcome {
  readonly name: string;
  readonly wrong?: string;
}

async function invoke({ stage }: World, { time, lifetimeMs }: PlannedRun): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Outcome>((resolve) => {
    const late = { name: 'hangs', wrong: `a run of ${lifetimeMs} ms did not end` };
    timer = setTimeout(() => resolve(late), lifetimeMs + RESERVE_MS);
  });
  const ended = stage.run(time, lifetimeMs).then(
    ({ status }): Outcome => ({ name: status }),
    (error: unknown): Outcome => {
      if (error instanceof StarError) return { name: error.name };
      const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
      return { name: `not ours: ${name}`, wrong: `failed with ${name}: ${message} ${stack}` };
    },
  );
  try {
    return await Promise.race([ended, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Answers in place of S3 to the requests that the run's faults are for. */
function requestFaults(
  { requests }: PlannedRun,
  tally: Tally,
  excused: Set<string>,
): (request: Readonly<RequestRecord>) => Fault | undefined {
  const counts = new Map<string, number>();
  const count = (what: string): number => {
    counts.set(what, (counts.get(what) ?? 0) + 1);
    return counts.get(what) ?? 0;
  };
  return ({ operation, key }) => {
    const [ofAll, ofOperation] = [count('all'), count(operation)];
    const met = requests.find((fault) => {
      if (fault.operation !== undefined && fault.operation !== operation) return false;
      const nth = fault.operation === undefined ? ofAll : ofOperation;
      return nth >= fault.nth && nth < fault.nth + fault.times;
    });
    if (met === undefined) return undefined;
    tally.met('S3 answers', met.operation === undefined ? met.name : `${met.name} to ${met.operation}`);
    if (['CreateMultipartUpload', 'AbortMultipartUpload'].includes(operation)) excused.add(key);
    return met.fault;
  };
}

function excuse(request: string, excused: Set<string>): void {
  const [, method, key = '', query = ''] = /^(\w+) \/[^/]+\/([^?]*)\??(.*)$/.exec(request) ?? [];
  const isUpload =
    method === 'POST' ? query.includes('uploads') : method === 'DELETE' && query.includes('uploadId');
  if (isUpload) excused.add(decodeURIComponent(key));
}

function nameOf(fault: WireFault): string {
  return fault.kind === 'call' ? fault.name : fault.kind;
}
