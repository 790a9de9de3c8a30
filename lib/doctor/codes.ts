import { SourceError } from '../core/errors.ts';

/**
 * What a source says went wrong, in a word: the code of the driver or of Node's network layer, or the status that the
 * API answered (`ER_ACCESS_DENIED_ERROR`, `ECONNREFUSED`, `403`). Empty where it does not say.
 */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // What was tried several times holds the last attempt.
  if (error instanceof SourceError) return codeOf(error.cause);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return /^[A-Z0-9_]+$/.test(error.message) ? error.message : '';
}

/** A message without the name of its cell, for a finding that names the cell already. */
export function withoutCell({ message }: Error): string {
  return message.replace(/^cell [\w.-]+: /, '');
}

/** Only failures of the cloud become findings; that time is over, or a defect of ours, goes on up. */
export function asSourceError(error: unknown, signal: AbortSignal): SourceError {
  signal.throwIfAborted();
  if (error instanceof SourceError) return error;
  throw error;
}
