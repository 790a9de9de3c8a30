import { machineColumns } from '../machines/columns.ts';
import { type Column, type Part, column } from '../table.ts';
import { timeColumns } from '../times.ts';
import type { MaskedMachineEvent } from './row.ts';

const row: Part<MaskedMachineEvent, MaskedMachineEvent> = { of: (event) => event, kind: 'object' };

const { host, rack, vcpus, memory, disk, properties } = machineColumns(row, {
  host: (event) => event.host,
  rack: (event) => event.rack,
  capacity: (event) => event.capacity,
});
const [time, seconds] = timeColumns(
  row,
  { csv: 'EVENT', jsonl: 'event' },
  'When it happened, at the latest',
  (event) => event.time,
);

/** One row an event of a host, as the published Chameleon traces have it. */
export const COLUMNS: readonly Column<MaskedMachineEvent>[] = [
  time,
  { ...seconds, csv: 'EVENT_TIME_SEC', parquet: 'event_time_sec' },
  host,
  rack,
  column(
    row,
    {
      csv: 'EVENT',
      jsonl: 'event',
      parquet: 'event',
      type: 'string',
      description: 'CREATE, ENABLE, UPDATE (of the capacity or properties), DISABLE or DELETE',
    },
    ({ event }) => event,
  ),
  vcpus,
  memory,
  disk,
  properties,
  column(
    row,
    {
      csv: 'NOT_BEFORE',
      jsonl: 'not_before',
      parquet: 'not_before',
      inCsv: false,
      type: 'timestamp',
      description: 'Earliest time of an event whose time is only bounded, UTC; else empty',
    },
    ({ notBefore }) => notBefore,
  ),
  column(
    row,
    {
      csv: 'BASIS',
      jsonl: 'basis',
      parquet: 'basis',
      inCsv: false,
      type: 'string',
      description: 'How the time is known: recorded, bounded, assumed, or opening (a state, and no event)',
    },
    ({ basis }) => basis,
  ),
];
