import type { Table } from '../table.ts';
import { COLUMNS } from './columns.ts';
import { MACHINE_EVENTS, type MachineEvent, type MaskedMachineEvent } from './row.ts';

/** What became of physical hosts. */
export const machineEvents: Table<MachineEvent, MaskedMachineEvent> = {
  name: 'machine_events',
  title: 'Machine events',
  kind: 'events',
  description: 'One row for each change of a physical host',
  columns: COLUMNS,
  order: ({ time, event }) => time + MACHINE_EVENTS.indexOf(event) / MACHINE_EVENTS.length,
  at: ({ belongs }) => belongs,
  masked:
    ({ maskSubject, maskRack, rackOf }) =>
    ({ host, node, rack, event, time, notBefore, basis, capacity }) => ({
      host: maskSubject(host),
      rack: maskRack(rackOf({ node, rack })),
      event,
      time,
      notBefore,
      basis,
      capacity,
    }),
  basis: ({ basis }) => basis,
  cannotShow: ['changes undone between two reads are not in this table'],
};
