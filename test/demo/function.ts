import { fork } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { statSync } from 'node:fs';
import type { ScheduleSummary } from '../../lib/schedule/summary.ts';
import { type Seconds, iso } from '../../lib/core/time.ts';
import { bundle } from '../../tools/bundle.mjs';

/** What the process of one invocation sends back. */
export type Answer = { summary: ScheduleSummary; peakBytes: number } | { error: string };

export interface Invoked {
  readonly summary: ScheduleSummary;
  readonly peakBytes: number;
  /** From the start of the process to its answer. */
  readonly seconds: number;
}

/** The function as it is deployed: the handlers bundled, with nothing but their environment. */
export interface DemoFunction {
  /** Of all that is deployed, minified. */
  readonly bytes: number;
  /** @throws Error with the line that the handler failed with */
  invoke(
    scheduledTime: Seconds,
    env: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Invoked>;
}

const RUNNER = fileURLToPath(new URL('invoke.ts', import.meta.url));

/** The template's own time-out. */
const LIFETIME_MS = 900_000;

export async function buildFunction(outdir: string, logFile: string): Promise<DemoFunction> {
  const { files } = await bundle({ outdir });
  return {
    bytes: files.reduce((sum, file) => sum + statSync(file).size, 0),
    async invoke(scheduledTime, env, signal) {
      const event = JSON.stringify({ scheduledTime: iso(scheduledTime) });
      await using log = await open(logFile, 'a');
      const started = performance.now();
      const answer = await new Promise<Answer>((resolve, reject) => {
        // Its environment is the function's alone: no profile, proxy or region of the user's counts.
        const child = fork(RUNNER, [join(outdir, 'handlers/scheduled.js'), event, String(LIFETIME_MS)], {
          env: { ...env },
          execArgv: [],
          signal,
          killSignal: 'SIGKILL',
          stdio: ['ignore', log.fd, log.fd, 'ipc'],
        });
        child.once('message', (message) => resolve(message as Answer));
        child.once('error', reject);
        child.once('exit', (code, killed) =>
          reject(new Error(`the function ended without an answer (${killed ?? code}); see ${logFile}`)),
        );
      });
      if ('error' in answer) throw new Error(`the function failed: ${answer.error}`);
      return { ...answer, seconds: (performance.now() - started) / 1000 };
    },
  };
}
