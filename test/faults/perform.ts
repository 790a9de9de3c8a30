import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type { ScheduleSummary } from '../../lib/schedule/summary.ts';
import { MINUTE, iso } from '../../lib/core/time.ts';
import type { Fault } from '../support/aws/faults.ts';
import { replay } from '../support/nova/history.ts';
import type { RequestRecord } from '../support/s3/server.ts';
import { BUCKET } from '../support/stage.ts';
import { violations } from './check.ts';
import { complete, invoke, limitOf } from './invoke.ts';
import type { WireFault } from './proxy.ts';
import { type PlannedRun, type Range, SETTLE, type Schedule } from './schedule.ts';
import type { Tally } from './tally.ts';
import type { World } from './world.ts';

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
  { prepare = () => Promise.resolve() }: { prepare?: (schedule: Schedule) => Promise<void> } = {},
): Promise<string[]> {
  const { stage, proxies } = world;
  const prefix = `s${schedule.seed}`;
  Object.assign(stage.env, {
    STAR_PREFIX: prefix,
    STAR_WINDOW_MINUTES: String(schedule.windowMinutes),
    STAR_FORMATS: schedule.formats,
    STAR_MASKING: 'none',
    STAR_ALLOW_UNSAFE_MASKING: 'true',
    STAR_BACKFILL_SECRETS: `${prefix}/backfill`,
  });
  await world.clear();
  await prepare(schedule);
  let shown = -Infinity;
  const show = async (time: number): Promise<void> => {
    const due = schedule.changes.filter(({ at }) => at > shown && at <= time);
    shown = Math.max(shown, time);
    world.now = shown;
    await replay(world.cells, due).applyUntil(time);
  };
  const wrong: string[] = [];
  const excused: Excused = { creations: new Map(), abortions: new Set() };
  const releases = new Map<string, Range>();
  tally.schedules++;

  for (const [nth, run] of schedule.runs.entries()) {
    await show(run.time);
    if (typeof run.what !== 'string' && run.what.release !== undefined)
      releases.set(run.what.release, run.what);
    const limit = await limitOf(world, schedule);
    proxies.source.set(run.source);
    proxies.s3.set(run.s3);
    world.onS3Request = requestFaults(run, tally, excused);
    const outcomes = await Promise.all(
      Array.from({ length: run.twice ? 2 : 1 }, (_, other) =>
        invoke(world, run, limit, `${prefix}-${nth}-${other}`),
      ),
    );
    world.onS3Request = undefined;
    const met = { source: proxies.source.met(), s3: proxies.s3.met() };
    // Connections that the run has left behind do nothing more to the world.
    proxies.source.set([]);
    proxies.s3.set([]);
    await world.ready();
    for (const outcome of outcomes) {
      tally.ran(`${whatIs(run)}: ${outcome.name}`);
      if (outcome.wrong !== undefined) wrong.push(outcome.wrong);
    }
    for (const { fault } of met.source) tally.met('source', nameOf(fault));
    for (const { fault, request } of met.s3) {
      tally.met('S3', nameOf(fault));
      excuse(fault, request, excused);
    }
  }

  // A further window, in which everything that was shown after the last run comes late.
  const end = schedule.end + schedule.windowMinutes * MINUTE;
  const time = end + SETTLE;
  await show(time);
  let summary: ScheduleSummary | undefined;
  for (let rerun = 0; rerun < RERUNS && summary?.watermark !== iso(end); rerun++) {
    tally.reruns++;
    summary = await stage.run(time).catch((error: unknown) => {
      wrong.push(`a run without faults failed: ${String(error)}`);
      return undefined;
    });
  }
  // What is held back arrives, and nothing is left to be done.
  await proxies.s3.settle();
  const limit = await limitOf(world, schedule);
  wrong.push(...(await complete(world, schedule, limit, releases, tally)));
  const { status } = await stage.run(time);
  if (status !== 'upToDate') wrong.push(`when all was published, a run answered ${status}`);

  wrong.push(...(await violations(world, schedule, { end, limit }, releases)));
  const { Uploads = [] } = await stage.client.send(
    new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: `${prefix}/` }),
  );
  for (const { Key = '', UploadId = '' } of Uploads) {
    const lost = excused.creations.get(Key) ?? 0;
    if (!excused.abortions.has(UploadId)) {
      if (lost === 0) wrong.push(`an upload of ${Key} is left`);
      else excused.creations.set(Key, lost - 1);
    }
    if (excused.abortions.has(UploadId) || lost > 0) tally.orphans++;
  }
  return wrong;
}

function whatIs({ what }: PlannedRun): string {
  if (what === 'schedule') return what;
  return what.release === undefined ? 'backfill' : 'release';
}

/** What may be left behind. */
interface Excused {
  /** How many uploads of a key were begun, or may have been, while the answer that named them was lost. */
  readonly creations: Map<string, number>;
  /** Ids of uploads whose abortion was not done, or may not have been. */
  readonly abortions: Set<string>;
}

function excuseCreation({ creations }: Excused, key: string): void {
  creations.set(key, (creations.get(key) ?? 0) + 1);
}

/** Answers in place of S3 to the requests that the run's faults are for. */
function requestFaults(
  { requests }: PlannedRun,
  tally: Tally,
  excused: Excused,
): (request: Readonly<RequestRecord>) => Fault | undefined {
  const counts = new Map<string, number>();
  const count = (what: string): number => {
    counts.set(what, (counts.get(what) ?? 0) + 1);
    return counts.get(what) ?? 0;
  };
  return ({ operation, key, uploadId = '' }) => {
    const [ofAll, ofOperation] = [count('all'), count(operation)];
    const met = requests.find((fault) => {
      if (fault.operation !== undefined && fault.operation !== operation) return false;
      const nth = fault.operation === undefined ? ofAll : ofOperation;
      return nth >= fault.nth && nth < fault.nth + fault.times;
    });
    if (met === undefined) return undefined;
    tally.met('S3 answers', met.operation === undefined ? met.name : `${met.name} to ${met.operation}`);
    // Refused before anything was done, a creation leaves nothing; an abortion that was done leaves nothing either.
    const isDone = met.fault.when === 'after';
    if (operation === 'CreateMultipartUpload' && isDone) excuseCreation(excused, key);
    if (operation === 'AbortMultipartUpload' && !isDone) excused.abortions.add(uploadId);
    return met.fault;
  };
}

/** On the wire nobody knows what was done; a delay alone loses nothing. */
function excuse(fault: WireFault, request: string, excused: Excused): void {
  if (fault.kind === 'delay') return;
  const [, method, path = '', query = ''] = /^(\w+) \/[^/]+\/([^?]*)\??(.*)$/.exec(request) ?? [];
  const key = decodeURIComponent(path);
  const parameters = new URLSearchParams(query);
  if (method === 'POST' && parameters.has('uploads')) excuseCreation(excused, key);
  if (method === 'DELETE' && parameters.has('uploadId'))
    excused.abortions.add(parameters.get('uploadId') ?? '');
}

function nameOf(fault: WireFault): string {
  return fault.kind === 'call' ? fault.name : fault.kind;
}
