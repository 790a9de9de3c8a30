import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../bin/star-compactor.mjs', import.meta.url));

const PROGRESS = /^\d+ %, [\d,]+ rows, .*\n/gm;

export interface Ran {
  readonly status: number;
  readonly stdout: Buffer;
  /** Without the lines of progress, of which a slow machine sees more than a quick one. */
  readonly stderr: string;
}

export interface CommandOptions {
  /** In addition to a PATH and a home without option files; nothing of the tester's own counts. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Given the process, as long as it runs. */
  readonly meanwhile?: (child: ChildProcess) => void;
}

/** Runs the command in a process of its own, without a terminal. */
export function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  return run(process.execPath, [COMMAND, ...args], options);
}

/**
 * Runs it at a pseudo-terminal, which `script` of util-linux makes: what it would show is `stdout`. What is written
 * to the process's standard input is typed there; \x03 is Ctrl-C.
 */
export function runAtTerminal(args: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  const words = [process.execPath, COMMAND, ...args].map((word) => `'${word}'`);
  return run('script', ['--quiet', '--return', '--command', words.join(' '), '/dev/null'], options);
}

function run(file: string, args: readonly string[], options: CommandOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TERM: 'xterm', ...options.env },
      stdio: 'pipe',
    });
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === null) reject(new Error(`the command was ended by ${signal}: ${stderr}`));
      else resolve({ status: code, stdout: Buffer.concat(stdout), stderr: stderr.replaceAll(PROGRESS, '') });
    });
    if (options.input !== undefined) child.stdin.end(options.input);
    options.meanwhile?.(child);
  });
}
