import { SourceError } from '../core/errors.ts';

/**
 * The code of a source's failure: that of the driver, of Node's network layer, or the status of the API's answer
 * (`ER_ACCESS_DENIED_ERROR`, `ECONNREFUSED`, `403`). Empty if there is none.
 */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // After several attempts the error holds the last one.
  if (error instanceof SourceError) return codeOf(error.cause);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return /^[A-Z0-9_]+$/.test(error.message) ? error.message : '';
}

/** A message without the name of its cell, for a finding that names the cell already. */
export function withoutCell({ message }: Error): string {
  return message.replace(/^cell [\w.-]+: /, '');
}

/** Only failures of the cloud become findings; the end of the time and our own defects are thrown. */
export function asSourceError(error: unknown, signal: AbortSignal): SourceError {
  signal.throwIfAborted();
  if (error instanceof SourceError) return error;
  throw error;
}
