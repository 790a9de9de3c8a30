import { instanceEvents } from '../../tables/instance-events/table.ts';
import { instances } from '../../tables/instances/table.ts';
import { machineEvents } from '../../tables/machine-events/table.ts';
import { machines } from '../../tables/machines/table.ts';
import { readMachineEvents, readMachines } from '../machines/readers.ts';
import type { ReadRequest, Reader } from '../source.ts';
import { readInstanceEvents } from './instance-events.ts';
import type { OpenApi } from './open-api.ts';
import { readServers } from './server-snapshot.ts';

/** How each table is read from Nova's API. */
export const READERS: Readonly<
  Record<string, (api: OpenApi, request: ReadRequest) => ReturnType<Reader<unknown>>>
> = {
  [instanceEvents.name]: readInstanceEvents,
  [instances.name]: readServers,
  [machines.name]: readMachines,
  [machineEvents.name]: readMachineEvents,
};
