import type { DatabaseConnection, ServiceName } from '../connection/connection.ts';
import { InputError } from '../core/errors.ts';
import { leaseEvents } from '../tables/lease-events/table.ts';
import { leases } from '../tables/leases/table.ts';
import { machineEvents } from '../tables/machine-events/table.ts';
import { machines } from '../tables/machines/table.ts';

const OF_IRONIC: readonly string[] = [machines.name, machineEvents.name];
const OF_BLAZAR: readonly string[] = [leases.name, leaseEvents.name];

/** @throws InputError where a table comes from a database that the secret does not have; nothing has been opened then */
export function refuseLackingServices(
  { services }: Pick<DatabaseConnection, 'services'>,
  tables: readonly string[],
  isBareMetal: boolean,
): void {
  for (const table of tables) {
    if (isBareMetal && OF_IRONIC.includes(table) && services.ironic === undefined)
      refuseWithout('ironic', table);
    if (OF_BLAZAR.includes(table) && services.blazar === undefined) refuseWithout('blazar', table);
  }
}

/** @throws InputError where a table comes from a database, and the secret opens Nova's API */
export function refuseWithoutDatabases(tables: readonly string[], isBareMetal: boolean): void {
  const lacking = tables.find(
    (table) => OF_BLAZAR.includes(table) || (isBareMetal && OF_IRONIC.includes(table)),
  );
  if (lacking === undefined) return;
  throw new InputError(
    `STAR_TABLES: got "${lacking}", which is read from the database of ${OF_BLAZAR.includes(lacking) ? 'Blazar' : 'Ironic'}, ` +
      'but the secret opens Nova’s API; accepted: a secret with databases, or STAR_TABLES=instance_events,instances',
  );
}

/** @throws InputError always */
export function refuseWithout(service: ServiceName, table: string): never {
  throw new InputError(
    `secret: ${service}: got nothing, but ${table} comes from its database; accepted: its DSN beside cells, or ` +
      `STAR_TABLES without ${table}`,
  );
}
