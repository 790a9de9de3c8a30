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

/** @throws InputError always */
export function refuseWithout(service: ServiceName, table: string): never {
  throw new InputError(
    `secret: ${service}: got nothing, but ${table} comes from its database; accepted: its DSN beside cells, or ` +
      `STAR_TABLES without ${table}`,
  );
}
