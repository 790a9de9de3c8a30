import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundle } from '../../tools/bundle.mjs';
import type { Stage } from '../support/stage.ts';

export interface Cost {
  readonly status: string;
  readonly rows: number;
  readonly bytes: number;
  readonly peakMiB: number;
  /** Until the handler is loaded: what a cold start costs before it has done anything. */
  readonly startCpuSeconds: number;
  /** Of the invocation, start-up left out. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/** As serverless.yml sets it; a test of the template holds the two together. */
export const NODE_OPTIONS = '--max-semi-space-size=8';

/** Bundles the handler as it is deployed; gives the file. */
export async function bundledHandler(): Promise<string> {
  const outdir = fileURLToPath(new URL('../../.local/bench', import.meta.url));
  await bundle({ outdir });
  return `${outdir}/handlers/scheduled.js`;
}

/**
 * One invocation in a process of its own, as Lambda starts it.
 *
 * @param onStart told the process's id
 */
export async function invokeOnce(
  stage: Stage,
  handler: string,
  scheduledTime: number,
  onStart: (pid: number) => void = () => undefined,
): Promise<Cost> {
  const { program, args, env } = invocation(stage, handler, scheduledTime);
  const running = promisify(execFile)(program, args, { env });
  onStart(running.child.pid ?? 0);
  const { stdout } = await running;
  return JSON.parse(stdout) as Cost;
}

/** A program that runs the function once and says what it cost, a `Cost` as JSON. */
export function invocation(stage: Stage, handler: string, scheduledTime: number) {
  const runner = fileURLToPath(new URL('run-once.mjs', import.meta.url));
  const event = JSON.stringify({ scheduledTime: new Date(scheduledTime * 1000).toISOString() });
  const quiet = { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' };
  const env = { PATH: process.env['PATH'] ?? '', NODE_OPTIONS, ...quiet, ...stage.env };
  return { program: process.execPath, args: [runner, handler, event], env };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function table(rows: readonly Record<string, string | number>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name])))];
  const widths = names.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) => line.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
    .join('\n');
}
