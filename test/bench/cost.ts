import type { Run } from './extraction.ts';
import { median, table } from './subject.ts';

/** US dollars: Lambda on arm64, S3 and Secrets Manager in us-east-1, as listed in November 2026. */
const PRICE = {
  gigabyteSecond: 0.0000133334,
  invocation: 0.2 / 1e6,
  /** PUT, COPY, POST and LIST. */
  s3Write: 0.005 / 1e3,
  s3Read: 0.0004 / 1e3,
  secret: 0.05 / 1e4,
};

/** Lambda gives one processor at this much memory, and its share at less. */
const MEMORY_OF_ONE_CPU = 1769;
const MEMORIES = [256, 512, 1024, 1769, 3008];

/**
 * What a day costs on Lambda. Modelled, not measured there: CPU seconds and wall seconds are from this machine, and
 * at a share of a processor the run takes CPU seconds divided by the share, unless it waited for longer.
 */
export function reportCost(days: readonly { events: number; runs: readonly Run[] }[], rounds: number): void {
  console.log(`medians of ${rounds} runs, cold start included; Lambda's seconds and dollars are modelled`);
  console.log(
    table(
      days.flatMap(({ events, runs }) => {
        const cpu = median(runs.map(({ cpuSeconds }) => cpuSeconds));
        const wall = median(runs.map(({ wallSeconds }) => wallSeconds));
        const requests = runs[0]?.requests ?? [];
        const options = MEMORIES.map((memory) => {
          const seconds = Math.max(wall, (cpu * MEMORY_OF_ONE_CPU) / Math.min(memory, MEMORY_OF_ONE_CPU));
          const gigabyteSeconds = (seconds * memory) / 1024;
          return { memory, seconds, gigabyteSeconds, dollars: gigabyteSeconds * PRICE.gigabyteSecond };
        });
        const cheapest = Math.min(...options.map(({ dollars }) => dollars));
        return options.map(({ memory, seconds, gigabyteSeconds, dollars }) => ({
          events,
          'CPU s': cpu.toFixed(2),
          'wall s': wall.toFixed(2),
          MB: `${memory}${dollars === cheapest ? ' *' : ''}`,
          seconds: seconds.toFixed(1),
          'GB-s': gigabyteSeconds.toFixed(2),
          'Lambda ¢': ((dollars + PRICE.invocation) * 100).toFixed(4),
          'requests ¢': (requestDollars(requests) * 100).toFixed(4),
          'year $': ((dollars + PRICE.invocation + requestDollars(requests)) * 365).toFixed(2),
        }));
      }),
    ),
  );
}

function requestDollars(requests: readonly string[]): number {
  const reads = requests.filter((operation) => /^(Get|Head)/.test(operation)).length;
  return reads * PRICE.s3Read + (requests.length - reads) * PRICE.s3Write + PRICE.secret;
}
