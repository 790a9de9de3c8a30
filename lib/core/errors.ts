/** The base of every error that the product raises itself; messages are one line and hold no credential. */
export class StarError extends Error {
  override readonly name: string = 'StarError';
}

/**
 * A setting, a secret or an event that cannot be used. Raised before anything is opened, or, if only the source or the
 * drops can show the fault, before anything is changed. Trying again cannot help. The message names the field, the
 * value received (never of a secret) and what is accepted.
 */
export class InputError extends StarError {
  override readonly name = 'InputError';
}

/** The cloud could not be read. `transient` says whether trying again may help. */
export class SourceError extends StarError {
  override readonly name = 'SourceError';
  readonly transient: boolean;

  constructor(message: string, options: { transient: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.transient = options.transient;
  }
}

/**
 * The store, or another service that backfills need, refused a request, or holds something that this version cannot
 * read.
 */
export class StoreError extends StarError {
  override readonly name = 'StoreError';
}

/** The drop would identify people; it is not published. */
export class PrivacyError extends StarError {
  override readonly name = 'PrivacyError';
}

/** The output of a command could not be written. */
export class OutputError extends StarError {
  override readonly name: string = 'OutputError';
}

/** The reader of standard output has stopped, as `head` does when it has enough. */
export class ReaderGoneError extends OutputError {
  override readonly name = 'ReaderGoneError';
}

/** A signal has stopped a command. */
export class StoppedError extends StarError {
  override readonly name = 'StoppedError';
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`);
    this.signal = signal;
  }
}

/** This machine's clock does not agree with the source's or the store's; nothing is fixed by a wrong clock. */
export class ClockError extends StarError {
  override readonly name = 'ClockError';
}

/** Another invocation has taken over this window and publishes it; this one must not. */
export class SupersededError extends StarError {
  override readonly name = 'SupersededError';
}

/** The secret that the windows of one backfill share has been destroyed, so that no more masks can join. */
export class MaskingSecretGoneError extends StarError {
  override readonly name = 'MaskingSecretGoneError';
}

/** The source no longer has what was planned. Trying again cannot help. */
export class HistoryGoneError extends StarError {
  override readonly name = 'HistoryGoneError';
}

/** Windows of a backfill are missing after all attempts. */
export class BackfillIncompleteError extends StarError {
  override readonly name = 'BackfillIncompleteError';
}

/** The invocation's time is nearly over; what was not published is left for the next run. */
export class DeadlineError extends StarError {
  override readonly name = 'DeadlineError';
}

/** Something that should not happen: a fault of the product, or of a library. */
export class UnexpectedError extends StarError {
  override readonly name = 'UnexpectedError';
}

/** Whether trying again may succeed without any change. */
export function retryMayHelp(error: StarError): boolean {
  if (error instanceof SourceError) return error.transient;
  return !LASTING.some((kind) => error instanceof kind);
}

const LASTING = [InputError, PrivacyError, ClockError, MaskingSecretGoneError, HistoryGoneError];

/** Error codes of Node.js (`ERR_…`), the system (`ECONNRESET`) and the databases (`ER_…`, `PROTOCOL_…`). */
const CODE = /^(?:E[A-Z]{2,20}|[A-Z]{2,12}(?:_[A-Z]{1,20}){1,6})$/;
const KIND = /^[A-Za-z]{0,40}(?:Error|Exception)$/;
/** A line of a stack that ends with a position in a file. */
const PLACE = /^\s+at .*(?::\d+:\d+|<anonymous>|\(native)\)?$/;

/**
 * The part of an error that may leave the process. Messages and properties of libraries' errors may quote anything,
 * such as a statement or a request with its token, and Lambda logs both. Only the kind, the code and the position
 * remain of them.
 */
export function tellable(error: unknown): StarError {
  if (error instanceof StarError) return error;
  if (!(error instanceof Error)) return new UnexpectedError('something was thrown that is no error');
  const code = 'code' in error && CODE.test(String(error.code)) ? ` (${String(error.code)})` : '';
  const kind = KIND.test(error.name) ? error.name : 'Error';
  const told = new UnexpectedError(`unexpected ${kind}${code}`, { cause: error });
  const places = (error.stack ?? '')
    .replace(error.message, '')
    .split('\n')
    .filter((line) => PLACE.test(line));
  told.stack = [`${told.name}: ${told.message}`, ...places].join('\n');
  return told;
}

/** The first line of an error's message, for logs and for messages that quote it. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}
