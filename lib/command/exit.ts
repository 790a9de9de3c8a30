import { constants } from 'node:os';
import { CommanderError } from 'commander';
import { InputError, ReaderGoneError, StarError, StoppedError, firstLine } from '../core/errors.ts';

/** Exit statuses, for scripts; docs/command-line.md lists them. */
export const EXIT = {
  done: 0,
  /** The cloud could not be read, or the output could not be written. */
  failed: 1,
  /** An option, a file or a variable of the environment cannot be used; nothing was opened. */
  badInput: 2,
  /** `doctor`: a trace can be made, but lacks something. */
  lacking: 3,
  /** `publish`, `backfill`: something is left to be published, by another run or by the next. */
  unfinished: 4,
  /** `verify`: the trace has faults. */
  faulty: 5,
} as const;

/** As shells report a process that a signal has ended. */
const bySignal = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

export function statusOf(error: unknown): number {
  if (error instanceof StoppedError) return bySignal(error.signal);
  if (error instanceof ReaderGoneError) return bySignal('SIGPIPE');
  if (error instanceof InputError) return EXIT.badInput;
  // Thrown by the parser for refused arguments, and after --help and --version.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.badInput;
  return EXIT.failed;
}

/**
 * The text to print for an error, if any. An unexpected error is printed in full, because only its stack helps to find
 * the fault.
 */
export function tellingOf(error: unknown, debug: boolean): string | undefined {
  if (error instanceof CommanderError || error instanceof ReaderGoneError) return undefined;
  const isOwn = error instanceof StarError;
  const line = firstLine(error);
  if (isOwn && !debug) return line;
  const frames =
    error instanceof Error ? (error.stack?.split('\n').filter((text) => /^\s+at /.test(text)) ?? []) : [];
  return [isOwn ? line : `unforeseen: ${line}`, ...frames].join('\n');
}
