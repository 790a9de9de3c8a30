import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { InputError, StarError, UnexpectedError } from '../../lib/errors.ts';
import { windowOfKey } from '../../lib/drop/published-windows.ts';
import type { ScheduleSummary } from '../../lib/summary.ts';
import { MINUTE, iso } from '../../lib/time.ts';
import type { Fault } from '../support/aws/faults.ts';
import { listKeys, readDrops } from '../support/drops.ts';
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
  { prepare = () => Promise.resolve() } = {},
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
  const excused: Excused = { creations: new Map(), abortions: new Set(), claims: new Set() };
  /** Replacements that did not come to their end. */
  const unfinished: Replacement[] = [];
  tally.schedules++;

  for (const run of schedule.runs) {
    const event = replacementOf(run, schedule, await beginningOf(world, prefix));
    if (run.replaces !== undefined && event === undefined) continue;
    await show(run.time);
    proxies.source.set(run.source);
    proxies.s3.set(run.s3);
    world.onS3Request = requestFaults(run, tally, excused);
    const outcomes = await Promise.all(
      Array.from({ length: run.twice ? 2 : 1 }, () => invoke(world, run, event)),
    );
    world.onS3Request = undefined;
    const met = { source: proxies.source.met(), s3: proxies.s3.met() };
    // Connections that the run has left behind do nothing more to the world.
    proxies.source.set([]);
    proxies.s3.set([]);
    await world.ready();
    for (const outcome of outcomes) {
      tally.ran(event === undefined ? outcome.name : `replacement: ${outcome.name}`);
      if (outcome.wrong !== undefined) wrong.push(outcome.wrong);
    }
    if (event !== undefined && outcomes.some(({ name }) => name !== 'published' && name !== 'InputError'))
      unfinished.push(event);
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
    summary = await stage.run(time, 60_000).catch((error: unknown) => {
      wrong.push(`a run without faults failed: ${String(error)}`);
      return undefined;
    });
  }
  // What is held back arrives, and nothing is left to be done.
  await proxies.s3.settle();
  for (const event of unfinished) {
    tally.reruns++;
    wrong.push(...(await complete(world, event, end)));
  }
  const { status } = await stage.run(time, 60_000);
  if (status !== 'upToDate') wrong.push(`when all was published, a run answered ${status}`);

  wrong.push(...(await violations(world, `${prefix}/`, end, excused.claims)));
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

/** What may be left behind. */
interface Excused {
  /** How many uploads of a key were begun, or may have been, while the answer that named them was lost. */
  readonly creations: Map<string, number>;
  /** Ids of uploads whose abortion was not done, or may not have been. */
  readonly abortions: Set<string>;
  /** Keys of claims that may be written after their run has removed them. */
  readonly claims: Set<string>;
}

function excuseCreation({ creations }: Excused, key: string): void {
  creations.set(key, (creations.get(key) ?? 0) + 1);
}

interface Outcome {
  readonly name: string;
  readonly wrong?: string;
}

interface Replacement {
  readonly start: string;
  readonly end: string;
  readonly cut: true;
  readonly replace: true;
}

function replacementOf(
  { replaces, spared = 0, time }: PlannedRun,
  { start, windowMinutes }: Schedule,
  begun: number | undefined,
): Replacement | undefined {
  if (replaces === undefined || begun === undefined) return undefined;
  const window = windowMinutes * MINUTE;
  const stands = start + Math.floor((time - SETTLE - start) / window) * window;
  const end = stands - spared * window;
  // What lies before the trace would not be replaced.
  if (end <= begun) return undefined;
  return { start: iso(Math.max(begun, end - replaces * window)), end: iso(end), cut: true, replace: true };
}

/** Where the trace begins; undefined before the schedule has published anything. */
async function beginningOf({ stage }: World, prefix: string): Promise<number | undefined> {
  const keys = await listKeys(stage.client, `${prefix}/`);
  if (!keys.some((key) => key.endsWith('/state/checkpoint.json'))) return undefined;
  const windows = keys.map(windowOfKey).filter((window) => window !== undefined);
  return windows.length === 0 ? undefined : Math.min(...windows.map(({ start }) => start));
}

/** Asks again for a replacement; for all of the trace where by now that is refused for a part. */
async function complete({ stage }: World, event: Replacement, end: number): Promise<string[]> {
  const again = (asked: object): Promise<string> =>
    stage.backfill(asked, 60_000).then(
      ({ status, message }) => (status === 'published' ? '' : message),
      (error: unknown) => {
        if (error instanceof InputError && asked === event) return again(all);
        return String(error);
      },
    );
  const drops = await readDrops(stage.client, stage.env['STAR_PREFIX']);
  const [first] = [...drops.map(({ manifest }) => manifest.window.start), event.start].toSorted();
  const all = { start: first, end: iso(end), replace: true };
  const failure = await again(event);
  return failure === '' ? [] : [`a replacement without faults failed: ${failure}`];
}

async function invoke({ stage }: World, { time, lifetimeMs }: PlannedRun, event?: object): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Outcome>((resolve) => {
    const late = { name: 'hangs', wrong: `a run of ${lifetimeMs} ms did not end` };
    timer = setTimeout(() => resolve(late), lifetimeMs + RESERVE_MS);
  });
  const started = event === undefined ? stage.run(time, lifetimeMs) : stage.backfill(event, lifetimeMs);
  const ended = started.then(
    ({ status }): Outcome => ({ name: status }),
    (error: unknown): Outcome => {
      if (error instanceof InputError && /holds? \d+ events/.test(error.message))
        return { name: error.name, wrong: `nothing was purged, but: ${error.message}` };
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
  if (fault.kind === 'late' && method === 'PUT' && key.includes('/state/claims/')) excused.claims.add(key);
}

function nameOf(fault: WireFault): string {
  return fault.kind === 'call' ? fault.name : fault.kind;
}
