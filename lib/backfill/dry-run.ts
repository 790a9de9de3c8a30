import type { Invocation } from '../drop/invocation.ts';
import type { BackfillPlan } from './plan.ts';
import type { BackfillRequest } from './request.ts';
import { type BackfillSummary, type Estimate, summarizeBackfill } from './summary.ts';

/** What a backfill would do and about cost. */
export function dryRun(
  { settings, masking }: Pick<Invocation, 'settings' | 'masking'>,
  request: BackfillRequest,
  plan: BackfillPlan,
  megabytes: number,
): BackfillSummary {
  const { due, events } = plan;
  const cost = events === null ? null : estimate(due.length, events, settings.formats.length, megabytes);
  const progress = { plan, done: [], left: due };
  const planned = summarizeBackfill(settings.cloud, request, 'planned', progress, masking.scope);
  return { ...planned, expected: { rows: events, cost } };
}

/** `npm run bench -- --cost` and `npm run bench -- backfill-year`: seconds of a whole core, with the report. */
const CPU_SECONDS = { perRow: 6e-6, perWindow: 0.04, perStart: 0.4 };
/** As many as an invocation makes, at the most; of large ones fewer, beside which a start is nothing. */
const WINDOWS_PER_START = 31;
/** Claim, manifest and a data object: about this many writes and reads a window, at the price of writes. */
const REQUESTS_PER_WINDOW = 12;
/** Lambda gives a whole core at this memory, and less in proportion. */
const MEGABYTES_PER_CORE = 1769;
/** Lambda on arm64 and requests to S3, at the list prices of us-east-1 in 2026; no free tier. */
const DOLLARS = { perGigabyteSecond: 0.0000133334, perRequest: 0.000005 };

/** From what was measured; a test holds it against the documentation's figures. */
export function estimate(windows: number, rows: number, formats: number, megabytes: number): Estimate {
  const cpu =
    Math.ceil(windows / WINDOWS_PER_START) * CPU_SECONDS.perStart +
    windows * CPU_SECONDS.perWindow +
    rows * CPU_SECONDS.perRow * formats;
  const seconds = cpu / Math.min(1, megabytes / MEGABYTES_PER_CORE);
  const gigabyteSeconds = (seconds * megabytes) / 1024;
  const requests = windows * (REQUESTS_PER_WINDOW + formats);
  const dollars = gigabyteSeconds * DOLLARS.perGigabyteSecond + requests * DOLLARS.perRequest;
  return {
    seconds: Math.ceil(seconds),
    gigabyteSeconds: Math.ceil(gigabyteSeconds),
    dollars: Number(dollars.toPrecision(2)),
  };
}
