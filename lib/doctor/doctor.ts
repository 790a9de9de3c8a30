import type { CloudConnection } from '../connection/connection.ts';
import type { Finding } from './finding.ts';
import type { ExamineOptions } from './options.ts';

export { type Finding, verdictOf } from './finding.ts';
export { formatFinding, formatVerdict } from './format.ts';

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
