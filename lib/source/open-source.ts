import type { CloudConnection } from '../connection/connection.ts';
import type { Settings } from '../config/settings.ts';
import type { Source } from './source.ts';

/** The settings that concern the source. */
export type SourceSettings = Pick<
  Settings,
  'retiredCells' | 'apiConcurrency' | 'apiSweepSeconds' | 'allowPartial'
>;

/**
 * Loads only the source that the run needs, because each needs a large library.
 *
 * @param warn called for conditions that are no errors but should be corrected; no text holds a credential
 */
export async function openSource(
  connection: CloudConnection,
  settings: SourceSettings,
  warn: (text: string) => void,
): Promise<Source> {
  if (connection.kind === 'database') {
    const { databaseSource } = await import('./nova-db/nova-db.ts');
    return databaseSource(connection.cells, settings.retiredCells);
  }
  const { apiSource } = await import('./nova-api/nova-api.ts');
  return apiSource(connection, {
    concurrency: settings.apiConcurrency,
    sweepSeconds: settings.apiSweepSeconds,
    allowPartial: settings.allowPartial,
    warn,
  });
}
