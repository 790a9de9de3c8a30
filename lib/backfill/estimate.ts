import type { Settings } from '../settings.ts';

/** What a backfill will about cost, from what was measured; a test holds it against the figures in README. */
export interface Estimate {
  /** Of one function after another. */
  readonly seconds: number;
  readonly gigabyteSeconds: number;
  /** Lambda on arm64 and requests to S3, at the list prices of us-east-1 in 2026; no free tier. */
  readonly dollars: number;
}

/** `npm run bench -- --cost` and `npm run bench:backfill`: seconds of a whole core, with the report. */
const CPU_SECONDS_PER_ROW = 6e-6;
const CPU_SECONDS_PER_WINDOW = 0.04;
const CPU_SECONDS_PER_START = 0.4;
/** As many as an invocation makes, at the most; of large ones fewer, beside which a start is nothing. */
const WINDOWS_PER_START = 31;
/** Claim, manifest and a data object: about this many writes and reads a window, at the price of writes. */
const REQUESTS_PER_WINDOW = 12;

/** Lambda gives a whole core at this memory, and less in proportion. */
const MEGABYTES_PER_CORE = 1769;
const DOLLARS_PER_GIGABYTE_SECOND = 0.0000133334;
const DOLLARS_PER_REQUEST = 0.000005;

/** @param megabytes memory of the function */
export function estimate(
  windows: number,
  rows: number,
  { formats }: Pick<Settings, 'formats'>,
  megabytes: number,
): Estimate {
  const cpu =
    Math.ceil(windows / WINDOWS_PER_START) * CPU_SECONDS_PER_START +
    windows * CPU_SECONDS_PER_WINDOW +
    rows * CPU_SECONDS_PER_ROW * formats.length;
  const seconds = cpu / Math.min(1, megabytes / MEGABYTES_PER_CORE);
  const gigabyteSeconds = (seconds * megabytes) / 1024;
  const requests = windows * (REQUESTS_PER_WINDOW + formats.length);
  const dollars = gigabyteSeconds * DOLLARS_PER_GIGABYTE_SECOND + requests * DOLLARS_PER_REQUEST;
  return {
    seconds: Math.ceil(seconds),
    gigabyteSeconds: Math.ceil(gigabyteSeconds),
    dollars: Number(dollars.toPrecision(2)),
  };
}
