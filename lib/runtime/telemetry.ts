import { Logger } from '@aws-lambda-powertools/logger';
import { type StarError, UnexpectedError, firstLine, retryMayHelp } from '../core/errors.ts';

export const logger = new Logger({ serviceName: 'star-compactor' });

/** One line with the error's kind and message, and where it came from if it was not expected. */
export function logFailure(to: Logger, error: StarError): void {
  const isExpected = !(error instanceof UnexpectedError);
  to.error(firstLine(error), {
    kind: error.name,
    retryMayHelp: retryMayHelp(error),
    own: isExpected,
    ...(isExpected ? {} : { stack: error.stack }),
  });
}
