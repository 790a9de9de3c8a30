import { DAY, MINUTE } from '../../lib/time.ts';
import type { Fault } from '../support/aws/faults.ts';
import type { Change } from '../support/nova/history.ts';
import { type Random, seeded } from '../support/nova/prng.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import type { WireFault } from './proxy.ts';

/** A small history, and some runs of the function in it with what goes wrong meanwhile. */
export interface Schedule {
  readonly seed: number;
  readonly windowMinutes: number;
  readonly formats: string;
  readonly start: number;
  /** Where the last window ends. */
  readonly end: number;
  readonly changes: readonly Change[];
  /** Seconds by which the clock of Nova's conductors differs from that of the schedule. */
  readonly skew: number;
  readonly runs: readonly PlannedRun[];
}

export interface PlannedRun {
  /** Its scheduled time, Unix seconds; what the source shows is what has been committed by then. */
  readonly time: number;
  readonly lifetimeMs: number;
  /** Not the schedule, but a backfill that replaces so many windows before that time. */
  readonly replaces?: number;
  /** But for the last so many. */
  readonly spared?: number;
  /** A second one is invoked at the same time. */
  readonly twice: boolean;
  readonly source: readonly WireFault[];
  readonly s3: readonly WireFault[];
  readonly requests: readonly RequestFault[];
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

export const START = Date.UTC(2025, 5, 1) / 1000;
export const SETTLE = 30 * MINUTE;
/** A run that meets no deadline. */
const LONG_MS = 60_000;

export function planSchedule(seed: number, options: ScheduleOptions): Schedule {
  const random = seeded(seed);
  // Its own, so that a schedule is the same with and without.
  const replacements = seeded(seed + 1_000_000);
  const windowMinutes = options.wide === true ? 720 : random.pick([360, 480, 720]);
  const days = 1;
  // Rows become visible up to 25 minutes late; together with this it stays within the settle time.
  const skew = random.chance(0.3) ? random.whole(-20, 4) * MINUTE : 0;
  const archived = START + random.between(0.3, 1) * DAY;
  const { changes } = randomHistory({
    seed,
    start: START,
    days,
    eventsPerDay: random.whole(20, 120),
    // The API refuses to act on deleted servers, which a history with moved operations has.
    mix: options.source === 'api' ? { straddle: 0, neverFinishes: 0.03 } : { lasting: 0.05 },
    ...(options.source === 'database' && random.chance(0.4) ? { archiveAt: () => archived } : {}),
  });
  const window = windowMinutes * MINUTE;
  const runs: PlannedRun[] = [];
  for (let end = START + window; end <= START + days * DAY; end += window) {
    if (random.chance(0.15)) continue;
    const attempts = random.pick([1, 1, 2]);
    for (let attempt = 0; attempt < attempts && runs.length < 6; attempt++) {
      runs.push(planRun(random, end + SETTLE + attempt * 10 * MINUTE, options));
    }
    if (replacements.chance(0.4)) {
      const run = planRun(replacements, end + SETTLE + 20 * MINUTE, options);
      runs.push({ ...run, replaces: replacements.whole(1, 3), spared: replacements.pick([0, 0, 1, 2]) });
    }
  }
  if (runs.length === 0) runs.push(planRun(random, START + window + SETTLE, options));
  return {
    seed,
    windowMinutes,
    formats: random.pick(['jsonl', 'jsonl,csv', 'csv,jsonl,parquet']),
    start: START,
    end: START + days * DAY,
    changes: changes.map((change) => shifted(change, skew, options.wide === true ? BEHIND_WIDE : 0)),
    skew,
    runs,
  };
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

function planRun(random: Random, time: number, options: ScheduleOptions): PlannedRun {
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
    lifetimeMs: stalls
      ? random.whole(300, 1500 * scale)
      : random.chance(0.15)
        ? random.whole(20, 700 * scale)
        : LONG_MS,
    twice: random.chance(0.08),
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
  // As many among the first hundred bytes as among the last ten thousand.
  const atByte = Math.floor(Math.exp(random.between(0, Math.log(bytes))));
  const place = { connection: random.pick([0, 0, 0, 1, 1, 2]), direction, atByte };
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
