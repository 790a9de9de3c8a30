import type { CloudConnection } from '../connection/connection.ts';
import type { Finding } from './finding.ts';
import type { ExamineOptions } from './options.ts';

export { type Finding, verdictOf } from './finding.ts';
export { formatFinding, formatVerdict } from './format.ts';

/**
 * Checks the connection to a cloud step by step, as a run would use it: reads a little of everything that is needed and
 * changes nothing. Continues after a failed check as far as that makes sense. Findings contain no credential, no user
 * and no server; they do name hosts, ports, URLs, databases, regions, roles and the project.
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
