import { instanceEvents } from '../../tables/instance-events/table.ts';
import { instances } from '../../tables/instances/table.ts';
import { leaseEvents } from '../../tables/lease-events/table.ts';
import { leases } from '../../tables/leases/table.ts';
import { machineEvents } from '../../tables/machine-events/table.ts';
import { machines } from '../../tables/machines/table.ts';
import { readLeaseEvents, readLeases } from '../leases/readers.ts';
import { readMachineEvents, readMachines } from '../machines/readers.ts';
import type { ReadRequest, Reader } from '../source.ts';
import { readInstanceEvents } from './instance-events.ts';
import type { OpenApi } from './open-api.ts';
import { readServers } from './server-snapshot.ts';

/** How each table is read from Nova's API, and from those of Ironic and Blazar. */
export const READERS: Readonly<
  Record<string, (api: OpenApi, request: ReadRequest) => ReturnType<Reader<unknown>>>
> = {
  [instanceEvents.name]: readInstanceEvents,
  [instances.name]: readServers,
  [machines.name]: readMachines,
  [machineEvents.name]: readMachineEvents,
  [leases.name]: ({ ofLeases }, request) => readLeases(ofLeases, request),
  [leaseEvents.name]: ({ ofLeases }, request) => readLeaseEvents(ofLeases, request),
};
