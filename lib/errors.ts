/** The base of every error that the product raises itself; messages are one line and hold no credential. */
export class StarError extends Error {
  override readonly name: string = 'StarError';
}

/**
 * A setting, a secret or an event that cannot be used. Raised before anything is opened; trying again cannot help.
 * The message names the field, what came (never for a secret) and what is accepted.
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

/** What is stored in S3 is not what this version can work with, or S3 refused what was asked. */
export class StoreError extends StarError {
  override readonly name = 'StoreError';
}

/** A drop would tell who the people in it are; it is not published. */
export class PrivacyError extends StarError {
  override readonly name = 'PrivacyError';
}

/** What a command writes could not be written. */
export class OutputError extends StarError {
  override readonly name: string = 'OutputError';
}

/** Whoever read standard output has stopped, as `head` does when it has enough. */
export class ReaderGoneError extends OutputError {
  override readonly name = 'ReaderGoneError';
}

/** Another invocation has taken this window over; it publishes, this one must not. */
export class SupersededError extends StarError {
  override readonly name = 'SupersededError';
}

/** The secret that the windows of one backfill share has been destroyed: its execution had ended before. */
export class MaskingSecretGoneError extends StarError {
  override readonly name = 'MaskingSecretGoneError';
}

/** Windows of a backfill are missing although everything was tried. */
export class BackfillIncompleteError extends StarError {
  override readonly name = 'BackfillIncompleteError';
}

/** The invocation's time is nearly over; what was not published is left for the next run. */
export class DeadlineError extends StarError {
  override readonly name = 'DeadlineError';
}

/** The first line of an error's message, for logs and for messages that quote it. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}
