import type { CloudConnection } from '../connection/connection.ts';
import type { Seconds } from '../time.ts';
import type { Finding } from './finding.ts';

export { type Finding, verdictOf } from './finding.ts';
export { formatFinding, formatVerdict } from './format.ts';

export interface ExamineOptions {
  readonly signal: AbortSignal;
  /** How far in the past a window has to end before it is read; what a clock difference is held against. */
  readonly settleSeconds: Seconds;
}

/**
 * Examines the way to a cloud, check by check, by what a run would do: reads a little of everything that is needed and
 * changes nothing. Goes on behind a failed check as far as that makes sense. What it finds holds no credential, no user
 * and no server; it does name hosts, ports, URLs, databases, regions, roles and the project.
 *
 * Loads only the library that the connection needs.
 */
export async function* examine(
  connection: CloudConnection,
  options: ExamineOptions,
): AsyncGenerator<Finding, void, void> {
  if (connection.kind === 'database') {
    const { examineDatabases } = await import('./database/database.ts');
    yield* examineDatabases(connection, options);
  } else {
    const { examineApi } = await import('./api/api.ts');
    yield* examineApi(connection, options);
  }
}
