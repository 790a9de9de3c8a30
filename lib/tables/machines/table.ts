import type { Table } from '../table.ts';
import { COLUMNS } from './columns.ts';
import type { Machine, MaskedMachine } from './row.ts';

/** Every physical host that existed at any time in the window. */
export const machines: Table<Machine, MaskedMachine> = {
  name: 'machines',
  title: 'Machines',
  kind: 'snapshot',
  description: 'One row for each physical host that existed in the window',
  columns: COLUMNS,
  order: ({ place }) => place,
  masked:
    ({ maskSubject, maskRack, rackOf, timeOf }) =>
    (machine) => ({
      host: maskSubject(machine.host),
      rack: maskRack(rackOf(machine)),
      created: timeOf(machine.created),
      deleted: timeOf(machine.deleted),
      capacity: machine.capacity,
      enabled: machine.enabled,
      up: machine.up,
    }),
};
