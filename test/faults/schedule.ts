import { latestEdge } from '../../lib/backfill/request.ts';
import { DAY, MINUTE, parseInstant } from '../../lib/core/time.ts';
import type { Fault } from '../support/aws/faults.ts';
import type { Change } from '../support/nova/history.ts';
import { type Random, seeded } from '../support/nova/prng.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import type { WireFault } from './proxy.ts';

/** A small history, and some runs of the function in it with what goes wrong meanwhile. */
export interface Schedule {
  readonly seed: number;
  readonly windowMinutes: number;
  /** Whether it happens within the last days, so that a backfill may begin the trace. */
  readonly isRecent: boolean;
  readonly formats: string;
  readonly start: number;
  /** Where the trace is to begin: some windows later. */
  readonly begin: number;
  /** Where the last window ends. */
  readonly end: number;
  /** Events whose finish shows long after the time that it carries, or is written over: cell and id. */
  readonly unsteady: ReadonlySet<string>;
  readonly changes: readonly Change[];
  /** Seconds by which the clock of Nova's conductors differs from that of the schedule. */
  readonly skew: number;
  readonly runs: readonly PlannedRun[];
}

export interface PlannedRun {
  /** Its scheduled time, Unix seconds; what the source shows is what has been committed by then. */
  readonly time: number;
  readonly lifetimeMs: number;
  readonly what: 'schedule' | Range;
  /** A second one is invoked at the same time. */
  readonly twice: boolean;
  readonly source: readonly WireFault[];
  readonly s3: readonly WireFault[];
  readonly requests: readonly RequestFault[];
}

/** What a backfill, or a release of that name, is to publish. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly release?: string;
}

/** What S3 answers to one of a run's requests, or to one of its requests of one operation. */
export interface RequestFault {
  readonly name: string;
  /** Counts all requests without. */
  readonly operation?: string;
  /** The first is 1. */
  readonly nth: number;
  /** For so many requests from there on. */
  readonly times: number;
  readonly fault: Fault;
}

export interface ScheduleOptions {
  readonly source: 'database' | 'api';
  /** Windows need several parts. */
  readonly wide?: boolean;
  /** What else can be done to the source when a byte is reached, by the port from which the proxy reaches it. */
  readonly calls?: Readonly<Record<string, (localPort: number) => Promise<void>>>;
  /** Nothing but these is done to the source. */
  readonly onlyCalls?: boolean;
}

export const SETTLE = 30 * MINUTE;
const LONG_AGO = Date.UTC(2025, 5, 1) / 1000;
const DAYS = 1;
/** A run that meets no deadline. */
const LONG_MS = 60_000;

export function planSchedule(seed: number, options: ScheduleOptions): Schedule {
  const random = seeded(seed);
  const windowMinutes = options.wide === true ? 720 : random.pick([360, 480, 720]);
  const window = windowMinutes * MINUTE;
  const count = (DAYS * DAY) / window;
  // A backfill begins a trace at the last edge of a window that is a day old by the real clock.
  const isRecent = count > 2 && random.chance(0.3);
  const early = isRecent ? random.whole(2, count) : random.whole(options.wide === true ? 0 : 1, count - 1);
  const start = isRecent ? latestEdge(Date.now() / 1000, window) - early * window : LONG_AGO;
  const [begin, end] = [start + early * window, start + DAYS * DAY];
  // Rows become visible up to 25 minutes late; together with this it stays within the settle time.
  const skew = random.chance(0.3) ? random.whole(-20, 4) * MINUTE : 0;
  const archived = start + random.between(0.3, 1) * DAY;
  const history = randomHistory({
    seed,
    start,
    days: DAYS,
    eventsPerDay: random.whole(20, 120),
    // The API refuses to act on deleted servers, which a history with moved operations has.
    mix: options.source === 'api' ? { straddle: 0, neverFinishes: 0.03 } : { lasting: 0.05 },
    ...(options.source === 'database' && random.chance(0.4) ? { archiveAt: () => archived } : {}),
  });
  const ids = options.wide === true ? BEHIND_WIDE : 0;
  const changes = history.changes.map((change) => shifted(change, skew, ids));
  return {
    seed,
    windowMinutes,
    isRecent,
    formats: random.pick(['jsonl', 'jsonl,csv', 'csv,jsonl,parquet']),
    start,
    begin,
    end,
    changes,
    unsteady: new Set([
      ...history.rewritten.map(({ cell, id }) => `${cell} ${id + ids}`),
      ...changes.flatMap((change) => lateFinish(change) ?? []),
    ]),
    skew,
    runs: planRuns(random, { start, begin, end, window, isRecent }, options),
  };
}

interface Times {
  readonly start: number;
  readonly begin: number;
  readonly end: number;
  readonly window: number;
  readonly isRecent: boolean;
}

const MOST_RUNS = 7;

function planRuns(
  random: Random,
  { start, begin, end, window, isRecent }: Times,
  options: ScheduleOptions,
): PlannedRun[] {
  const runs: PlannedRun[] = [];
  const releases = new Map<string, Range>();
  const add = (time: number, what: PlannedRun['what']): void => {
    if (runs.length < MOST_RUNS) runs.push(planRun(random, time, what, options));
  };
  const addBackfill = (time: number): void => {
    const windows = (begin - start) / window;
    if (windows === 0) return;
    const first = random.whole(0, windows - 1);
    add(time, { start: start + first * window, end: start + random.whole(first + 1, windows) * window });
  };
  const addRelease = (time: number): void => {
    const release = random.pick(['r1', 'r2']);
    const until = isRecent ? begin : Math.floor((time - SETTLE) / window) * window;
    const windows = (until - start) / window;
    const first = random.whole(0, windows - 1);
    const range = {
      start: start + first * window,
      end: start + random.whole(first + 1, windows) * window,
      release,
    };
    // Asked for again, a release is the same.
    if (!releases.has(release)) releases.set(release, range);
    add(time, releases.get(release) ?? range);
  };

  if (isRecent) for (let attempt = random.whole(0, 2); attempt > 0; attempt--) addBackfill(begin + SETTLE);
  for (let until = begin + window; until <= end; until += window) {
    if (random.chance(0.15)) continue;
    const attempts = random.pick([1, 1, 2]);
    for (let attempt = 0; attempt < attempts; attempt++)
      add(until + SETTLE + attempt * 10 * MINUTE, 'schedule');
    if (random.chance(0.4)) addBackfill(until + SETTLE + 20 * MINUTE);
    if (random.chance(0.4)) addRelease(until + SETTLE + 20 * MINUTE);
  }
  if (runs.length === 0) add(begin + window + SETTLE, 'schedule');
  return runs;
}

/** Cell and id of an event whose finish shows when its window may be published. */
function lateFinish({ at, cell, table, upsert }: Change): string | undefined {
  const finish = upsert?.['finish_time'];
  if (table !== 'instance_actions_events' || typeof finish !== 'string') return undefined;
  const time = parseInstant(`${finish.replace(' ', 'T')}Z`) ?? Number.NaN;
  return at > time + SETTLE ? `${cell} ${Number(upsert?.['id'])}` : undefined;
}

/** Ids beyond those of `wide-events.ts`, which fill the first hour. */
const BEHIND_WIDE = 2_000_000;

function shifted(change: Change, seconds: number, ids: number): Change {
  const { at, upsert: row } = change;
  if (row === undefined) return { ...change, at: at + seconds };
  const id = Number(row['id']) + ids;
  const action = row['action_id'] === undefined ? {} : { action_id: Number(row['action_id']) + ids };
  return { ...change, at: at + seconds, upsert: { ...row, id, ...action } };
}

function planRun(
  random: Random,
  time: number,
  what: PlannedRun['what'],
  options: ScheduleOptions,
): PlannedRun {
  const source: WireFault[] = [];
  const s3: WireFault[] = [];
  const requests: RequestFault[] = [];
  const faults = options.wide === true ? random.pick([2, 3, 4]) : random.pick([0, 1, 1, 2, 2, 3]);
  for (let n = 0; n < faults; n++) {
    const where = random.pick([
      'source',
      options.onlyCalls === true ? 'source' : 's3',
      'requests',
      'requests',
    ]);
    if (where === 'source')
      source.push(wireFault(random, options, options.source === 'api' ? 150_000 : 40_000));
    else if (where === 's3') {
      const { calls: _, ...withoutCalls } = options;
      s3.push(wireFault(random, withoutCalls, options.wide === true ? 13_000_000 : 40_000));
    } else requests.push(requestFault(random, options));
  }
  const stalls = [...source, ...s3].some(({ kind }) => kind === 'stall');
  const scale = options.wide === true ? 3 : 1;
  return {
    time,
    what,
    lifetimeMs: stalls
      ? random.whole(300, 1500 * scale)
      : random.chance(0.15)
        ? random.whole(20, 700 * scale)
        : LONG_MS,
    twice: random.chance(0.15),
    source,
    s3,
    requests,
  };
}

/** What happens to one of the first connections, somewhere in so many bytes. */
export function wireFault(
  random: Random,
  { calls = {}, onlyCalls = false }: Pick<ScheduleOptions, 'calls' | 'onlyCalls'>,
  bytes: number,
): WireFault {
  const direction = random.pick(['up', 'down'] as const);
  // A run that begins a trace, or looks at the history, does so before it reads, on connections of their own.
  // As many among the first hundred bytes as among the last ten thousand.
  const atByte = Math.floor(Math.exp(random.between(0, Math.log(bytes))));
  const place = { connection: random.pick([0, 0, 0, 1, 1, 2, 2, 3, 4]), direction, atByte };
  const names = Object.keys(calls);
  if (names.length > 0 && (onlyCalls || random.chance(0.35))) {
    const name = random.pick(names);
    return { kind: 'call', name, act: calls[name] ?? (() => Promise.resolve()), ...place };
  }
  const kind = random.pick(['cut', 'cut', 'reset', 'reset', 'truncate', 'delay', 'stall', 'late'] as const);
  if (kind === 'delay') return { kind, ms: random.whole(10, 300), ...place };
  if (kind === 'late') return { kind, ms: random.whole(1, 400), ...place, direction: 'up' };
  return { kind, ...place };
}

const ANSWERS: readonly (readonly [name: string, fault: Fault])[] = [
  ['SlowDown', { status: 503, code: 'SlowDown' }],
  ['InternalError', { status: 500, code: 'InternalError' }],
  ['disk full (507)', { status: 507, code: 'InsufficientStorage' }],
  ['AccessDenied', { status: 403, code: 'AccessDenied' }],
  ['reset', { reset: true }],
  ['answer lost', { when: 'after', reset: true }],
  ['500 for what was done', { when: 'after', status: 500, code: 'InternalError' }],
];
const OF_PARTS = ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'AbortMultipartUpload'];

function requestFault(random: Random, { wide = false }: ScheduleOptions): RequestFault {
  if (wide && random.chance(0.6)) {
    const operation = random.pick(OF_PARTS);
    if (operation === 'CompleteMultipartUpload' && random.chance(0.5)) {
      const when = random.pick(['before', 'after'] as const);
      const fault = { when, status: 200, code: 'InternalError' };
      return { name: '200 with an error', operation, nth: 1, times: random.whole(1, 2), fault };
    }
    const [name, fault] = random.pick(ANSWERS);
    const times = operation === 'UploadPart' ? random.pick([1, 2, 2, 6]) : random.pick([1, 1, 2]);
    return { name, operation, nth: random.whole(1, 3), times, fault };
  }
  const [name, fault] = random.pick(ANSWERS);
  // Five in a row are more than the client bears.
  return { name, nth: random.whole(1, 30), times: random.pick([1, 1, 1, 2, 5]), fault };
}
