import type { CloudConnection } from '../connection/connection.ts';
import type { Settings } from '../config/settings.ts';
import type { Source } from './source.ts';

/** What of the settings concerns the source. */
export type SourceSettings = Pick<
  Settings,
  'retiredCells' | 'apiConcurrency' | 'apiSweepSeconds' | 'allowPartial'
>;

/**
 * Loads only the source that the run needs: each brings a large library.
 *
 * @param warn told of what is no error and should not stay so; no text holds a credential
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
