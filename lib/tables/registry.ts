import { instanceEvents } from './instance-events/table.ts';
import { instances } from './instances/table.ts';
import { leaseEvents } from './lease-events/table.ts';
import { leases } from './leases/table.ts';
import { machineEvents } from './machine-events/table.ts';
import { machines } from './machines/table.ts';
import type { AnyTable } from './table.ts';

/** Every table there is. Its readers are named in `source/readers.ts`. */
export const TABLES: readonly AnyTable[] = [
  instanceEvents as AnyTable,
  instances as AnyTable,
  machines as AnyTable,
  machineEvents as AnyTable,
  leases as AnyTable,
  leaseEvents as AnyTable,
];
