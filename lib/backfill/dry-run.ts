import type { Settings } from '../config/settings.ts';
import { intervals } from '../core/window.ts';
import type { BackfillPlan } from './plan.ts';
import type { BackfillRequest } from './request.ts';
import { type BackfillSummary, type Estimate, summaryOf } from './summary.ts';

/** Tells what a backfill would do, and about what it would cost. */
export function dryRun(
  settings: Settings,
  request: BackfillRequest,
  plan: BackfillPlan,
  megabytes: number,
): BackfillSummary {
  const { due, events } = plan;
  const expected = estimate(due.length, events, settings.formats.length, megabytes);
  const message = `${due.length} window(s) would be made`;
  return summaryOf(settings, request, { status: 'planned', message, expected, left: intervals(due) }, plan);
}

/** `npm run bench -- --cost` and `npm run bench -- backfill-year`: seconds of a whole core, with the report. */
const CPU_SECONDS = { perRow: 6e-6, perWindow: 0.04, perStart: 0.4 };
/** The most that an invocation makes. It makes fewer large ones, whose cost hides that of a start. */
const WINDOWS_PER_START = 31;
/** Claim, manifest and a data object: about this many writes and reads a window, at the price of writes. */
const REQUESTS_PER_WINDOW = 12;
/** Lambda gives a whole core at this memory, and less in proportion. */
const MEGABYTES_PER_CORE = 1769;
/** Lambda on arm64 and requests to S3, at the list prices of us-east-1 in 2026; no free tier. */
const DOLLARS = { perGigabyteSecond: 0.0000133334, perRequest: 0.000005 };

/** Follows measurements; a test compares it with the documentation's figures. */
export function estimate(windows: number, rows: number | null, formats: number, megabytes: number): Estimate {
  if (rows === null) return { rows, seconds: null, dollars: null };
  const cpu =
    Math.ceil(windows / WINDOWS_PER_START) * CPU_SECONDS.perStart +
    windows * CPU_SECONDS.perWindow +
    rows * CPU_SECONDS.perRow * formats;
  const seconds = cpu / Math.min(1, megabytes / MEGABYTES_PER_CORE);
  const requests = windows * (REQUESTS_PER_WINDOW + formats);
  const dollars = ((seconds * megabytes) / 1024) * DOLLARS.perGigabyteSecond + requests * DOLLARS.perRequest;
  return { rows, seconds: Math.ceil(seconds), dollars: Number(dollars.toPrecision(2)) };
}
