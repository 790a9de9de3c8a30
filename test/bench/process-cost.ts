import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setInterval as every } from 'node:timers/promises';

/** What a command cost, with all processes that it is made of, from their start to their end. */
export interface ProcessCost {
  /** User and system. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** The peaks of its processes, added up. By looking every 10 ms, for those that cannot tell themselves. */
  readonly peakMiB: number;
  readonly stdout: string;
}

/**
 * Runs a shell command, which may be a pipe, and has the shell say what its children took.
 *
 * @throws Error where the command fails; in a pipe, the last of its programs
 */
export async function costOf(command: string, env: NodeJS.ProcessEnv = {}): Promise<ProcessCost> {
  const began = performance.now();
  const shell = spawn('/bin/sh', ['-c', `${command}\nstatus=$?; times >&2; exit $status`], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  shell.stdout.setEncoding('utf8').on('data', (text: string) => void (said.stdout += text));
  shell.stderr.setEncoding('utf8').on('data', (text: string) => void (said.stderr += text));
  const watching = new AbortController();
  const peaks = watchPeaks(shell.pid ?? 0, watching.signal);
  const status = await new Promise((resolve, reject) => shell.on('error', reject).on('close', resolve));
  const wallSeconds = (performance.now() - began) / 1000;
  watching.abort();
  if (status !== 0) throw new Error(`the command ended with ${String(status)}: ${said.stderr.slice(-2000)}`);
  const [, children = ''] = said.stderr.trimEnd().split('\n').slice(-2);
  return { cpuSeconds: secondsIn(children), wallSeconds, peakMiB: await peaks, stdout: said.stdout };
}

/** `0m1.230s 0m0.045s`, user and system, as POSIX has `times` say it. */
function secondsIn(line: string): number {
  const times = [...line.matchAll(/(\d+)m([\d.]+)s/g)];
  if (times.length !== 2) throw new Error(`not what the shell says of times: ${line}`);
  return times.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

async function watchPeaks(shell: number, signal: AbortSignal): Promise<number> {
  const peaks = new Map<string, number>();
  const look = async (pid: string): Promise<void> => {
    const [status, children] = await Promise.all(
      [`/proc/${pid}/status`, `/proc/${pid}/task/${pid}/children`].map((file) =>
        readFile(file, 'utf8').catch(() => ''),
      ),
    );
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(status ?? '')?.[1];
    if (peak !== undefined && pid !== String(shell)) peaks.set(pid, Number(peak) / 1024);
    for (const child of children?.split(' ').filter((text) => text !== '') ?? []) await look(child);
  };
  try {
    for await (const _ of every(10, undefined, { signal })) await look(String(shell));
  } catch {
    // The end of it.
  }
  return [...peaks.values()].reduce((sum, peak) => sum + peak, 0);
}
