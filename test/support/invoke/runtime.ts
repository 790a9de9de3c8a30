import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ScheduleSummary } from '../../../lib/schedule/summary.ts';

export interface Invocation {
  event: unknown;
  env: Readonly<Record<string, string>>;
  lifetimeMs: number;
}

/** What an invocation came to: the handler's answer, its error, or nothing, for the process is dead. */
export type Answer = { summary: ScheduleSummary } | { error: { name: string; message: string } };
export type Outcome = Answer | 'killed';

/** A process of its own that runs the handler, as the function's runtime does. */
export interface Runtime {
  /** Runs the handler once; one at a time. */
  invoke(event: unknown, env: Readonly<Record<string, string>>, lifetimeMs?: number): Promise<Outcome>;
  /** `kill -9`; returns once the process is gone. */
  kill(): Promise<void>;
}

const RUNNER = fileURLToPath(new URL('runner.ts', import.meta.url));

/**
 * Starts a runtime, which is warm (the handler loaded) when this returns.
 *
 * @param runner the script that it runs
 */
export async function startRuntime(runner = RUNNER): Promise<Runtime> {
  const child = spawn(process.execPath, [runner], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  await Promise.race([once(child, 'message'), ended]);
  if (child.exitCode !== null) throw new Error(`The runner ended with ${child.exitCode}`);
  return {
    async invoke(event, env, lifetimeMs = 900_000) {
      if (child.exitCode !== null || child.signalCode !== null) return 'killed';
      const answered = once(child, 'message').then(([answer]) => answer as Answer);
      const invocation: Invocation = { event, env, lifetimeMs };
      // A message to a process that is just dying fails; that it has died is the answer.
      child.send(invocation, () => undefined);
      return Promise.race([answered, ended.then(() => 'killed' as const)]);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export interface RuntimePool {
  /** A warm runtime that nobody has had. */
  take(): Promise<Runtime>;
  stop(): Promise<void>;
}

/** Warms the next runtime while the last one is in use: a test that kills many does not wait for each. */
export function startRuntimes(runner = RUNNER): RuntimePool {
  const started: Promise<Runtime>[] = [];
  const start = (): Promise<Runtime> => {
    const runtime = startRuntime(runner);
    started.push(runtime);
    return runtime;
  };
  let next = start();
  return {
    async take() {
      const runtime = next;
      next = start();
      return runtime;
    },
    async stop() {
      await Promise.all(started.map(async (runtime) => (await runtime).kill()));
    },
  };
}
