import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { utf8Text } from '../core/text.ts';
import { InputError, StoppedError } from '../core/errors.ts';

/** Prints a message to standard error; standard output is for data. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Asks for a password at the terminal, without showing it.
 *
 * @param instead what else is accepted if there is no terminal
 * @throws InputError if there is no terminal
 */
export async function askSecretly(prompt: string, instead: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new InputError(`password: there is no terminal to ask at; accepted: ${instead}`);
  }
  const { read } = await import('read');
  try {
    return await read({ prompt, silent: true, output: process.stderr });
  } catch {
    // While it reads, Ctrl-C arrives as a key and not as a signal.
    process.stderr.write('\n');
    throw new StoppedError('SIGINT');
  }
}

/** The text of a file, or of standard input for `-`. @throws InputError naming the option */
export async function readInput(path: string, option: string): Promise<string> {
  const bytes = path === '-' ? await buffer(process.stdin) : await readBytes(path, option);
  return utf8Text(bytes, path === '-' ? `${option}: standard input` : `${option}: ${path}`);
}

/** A shell does not expand `~` after `=`, and a path in a file has not passed through a shell. */
export function atHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

/** @throws InputError naming the option */
export async function readBytes(path: string, option: string): Promise<Buffer> {
  try {
    return await readFile(atHome(path));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new InputError(`${option}: ${path} could not be read (${code}); accepted: a file that can`);
  }
}
