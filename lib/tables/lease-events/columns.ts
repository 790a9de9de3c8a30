import { COLUMNS as OF_INSTANCES } from '../instances/columns.ts';
import { leaseColumns, ownerColumn } from '../leases/columns.ts';
import { type Column, type Part, column } from '../table.ts';
import { timeColumns } from '../times.ts';
import type { MaskedLeaseEvent } from './row.ts';

const row: Part<MaskedLeaseEvent, MaskedLeaseEvent> = { of: (event) => event, kind: 'object' };

const { id, plan, status, nodeCount, hosts } = leaseColumns(row, {
  id: (event) => event.id,
  plan: (event) => event,
  status: (event) => event.status,
  nodeCount: (event) => event.nodeCount,
  hosts: (event) => event.hosts,
});
const [time, seconds] = timeColumns(
  row,
  { csv: 'EVENT', jsonl: 'event' },
  'When it happened, at the latest',
  (event) => event.time,
);

/** A column that needs nothing but a name. */
function plain(
  csv: string,
  jsonl: string,
  parquet: string,
  description: string,
  value: (event: MaskedLeaseEvent) => string | number | null,
  more: Partial<Pick<Column<MaskedLeaseEvent>, 'type' | 'inCsv'>> = {},
): Column<MaskedLeaseEvent> {
  return column(row, { csv, jsonl, parquet, type: 'string', description, ...more }, value);
}

/** Servers name their reservation in the same way, so that the tables join. */
function reservationColumn(): Column<MaskedLeaseEvent> {
  const like = OF_INSTANCES.find(({ csv }) => csv === 'RESERVATION_ID');
  if (like === undefined) throw new Error('instances has no column RESERVATION_ID');
  return column(row, { ...like, description: 'Reservation of the lease' }, (event) => event.reservationId);
}

/** One row for each event of a lease and each of its reservations. */
export const COLUMNS: readonly Column<MaskedLeaseEvent>[] = [
  id,
  plain(
    'EVENT',
    'event',
    'event',
    'CREATE, UPDATE (of the plan or the hosts), START, DEGRADE, ERROR, END or DELETE',
    ({ event }) => event,
  ),
  time,
  { ...seconds, csv: 'EVENT_TIME_SEC', parquet: 'event_time_sec' },
  status,
  ...plan,
  ownerColumn(row, 'USER_ID', (event) => event.userId),
  ownerColumn(row, 'PROJECT_ID', (event) => event.projectId),
  reservationColumn(),
  plain(
    'RESOURCE_TYPE',
    'resource_type',
    'resource_type',
    'What is reserved, such as physical:host or virtual:instance',
    ({ type }) => type,
  ),
  plain(
    'RESERVATION_STATUS',
    'reservation_status',
    'reservation_status',
    'pending, active, error or deleted, after the event',
    ({ reservationStatus }) => reservationStatus,
  ),
  plain('MIN_COUNT', 'min', 'min_count', 'Fewest hosts or servers that were asked for', ({ min }) => min, {
    type: 'integer',
  }),
  plain('MAX_COUNT', 'max', 'max_count', 'Most hosts or servers that were asked for', ({ max }) => max, {
    type: 'integer',
  }),
  nodeCount,
  hosts,
  plain(
    'PROPERTIES',
    'properties',
    'properties',
    'What was asked for, as JSON: comparisons of nodeProperties, and the size of a server',
    ({ properties }) => properties,
  ),
  plain(
    'NOT_BEFORE',
    'not_before',
    'not_before',
    'Earliest time of an event whose time is only bounded, UTC; else empty',
    ({ notBefore }) => notBefore,
    { type: 'timestamp', inCsv: false },
  ),
  plain(
    'BASIS',
    'basis',
    'basis',
    'How the time is known: recorded, bounded, assumed (by the plan), or opening (a state, and no event)',
    ({ basis }) => basis,
    { inCsv: false },
  ),
];
