import type { CloudConnection } from '../connection/connection.ts';
import type { Settings } from '../config/settings.ts';
import { refuseLackingServices } from './lacking-services.ts';
import { sealWith } from './seal.ts';
import type { Source } from './source.ts';

/** The settings that concern the source. */
export type SourceSettings = Pick<
  Settings,
  | 'retiredCells'
  | 'apiConcurrency'
  | 'apiSweepSeconds'
  | 'allowPartial'
  | 'forcedDownDisables'
  | 'hostFrom'
  | 'nodeProperties'
  | 'rackProperty'
  | 'tables'
>;

/**
 * Loads only the source that the run needs, because each needs a large library.
 *
 * @throws InputError where the secret lacks what a table comes from
 * @param warn called for conditions that are no errors but should be corrected; no text holds a credential
 * @param stateKey 32 bytes that seal the names of machines; without it none are kept
 */
export async function openSource(
  connection: CloudConnection,
  settings: SourceSettings,
  warn: (text: string) => void,
  stateKey?: Buffer,
): Promise<Source> {
  const seal = stateKey && sealWith(stateKey);
  const properties = { names: settings.nodeProperties, rack: settings.rackProperty };
  const leaseProperties = settings.nodeProperties.filter((name) => name !== settings.rackProperty);
  const bareMetal = settings.hostFrom === 'node' ? properties : undefined;
  if (connection.kind === 'database') {
    refuseLackingServices(connection, settings.tables, bareMetal !== undefined);
    const { databaseSource } = await import('./nova-db/nova-db.ts');
    return databaseSource(connection, {
      ...settings,
      seal,
      bareMetal,
      leaseProperties,
    });
  }
  const { apiSource } = await import('./nova-api/nova-api.ts');
  return apiSource(connection, {
    concurrency: settings.apiConcurrency,
    sweepSeconds: settings.apiSweepSeconds,
    allowPartial: settings.allowPartial,
    forcedDownDisables: settings.forcedDownDisables,
    bareMetal,
    leaseProperties,
    seal,
    warn,
  });
}
