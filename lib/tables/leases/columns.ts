import { COLUMNS as OF_EVENTS } from '../instance-events/columns.ts';
import { type Column, type Part, type Value, column } from '../table.ts';
import { timeColumns } from '../times.ts';
import { hostsText } from './hosts.ts';
import type { LeasePlan, MaskedLease } from './row.ts';

/** A column of people that `instance_events` has too: the same names and type, so that the tables join. */
export function ownerColumn<Row extends object>(
  of: Part<Row, Row>,
  name: 'USER_ID' | 'PROJECT_ID',
  value: (row: Row) => Value,
): Column<Row> {
  const like = OF_EVENTS.find(({ csv }) => csv === name);
  if (like === undefined) throw new Error(`instance_events has no column ${name}`);
  return column(of, { ...like, description: like.description }, value);
}

/** The columns of every table of leases. */
export function leaseColumns<Row extends object>(
  of: Part<Row, Row>,
  get: {
    readonly id: (row: Row) => string;
    readonly plan: (row: Row) => LeasePlan;
    readonly status: (row: Row) => string;
    readonly nodeCount: (row: Row) => number | null;
    readonly hosts: (row: Row) => MaskedLease['hosts'];
  },
): Record<'id' | 'status' | 'nodeCount' | 'hosts', Column<Row>> & { readonly plan: readonly Column<Row>[] } {
  return {
    id: column(
      of,
      {
        csv: 'LEASE_ID',
        jsonl: 'lease_id',
        parquet: 'lease_id',
        type: 'string',
        masked: true,
        description: 'Lease',
      },
      get.id,
    ),
    plan: [
      ...timeColumns(
        of,
        { csv: 'START', jsonl: 'start' },
        'When it is to start',
        (row) => get.plan(row).start,
      ),
      ...timeColumns(of, { csv: 'END', jsonl: 'end' }, 'When it is to end', (row) => get.plan(row).end),
    ],
    status: column(
      of,
      {
        csv: 'LEASE_STATUS',
        jsonl: 'status',
        parquet: 'lease_status',
        type: 'string',
        description: 'PENDING, ACTIVE, TERMINATED, ERROR or DELETED, after the event or the window',
      },
      get.status,
    ),
    nodeCount: column(
      of,
      {
        csv: 'NODE_COUNT',
        jsonl: 'nodes',
        parquet: 'node_count',
        type: 'integer',
        description: 'Hosts that are reserved, as of the last read before it ended',
      },
      get.nodeCount,
    ),
    hosts: column(
      of,
      {
        csv: 'HOSTS',
        jsonl: 'hosts',
        parquet: 'hosts',
        type: 'string',
        masked: true,
        list: true,
        description: 'Masks of these hosts, with blanks between them; empty where they are not known',
      },
      (row) => hostsText(get.hosts(row)),
    ),
  };
}

const lease: Part<MaskedLease, MaskedLease> = { of: (row) => row, kind: 'object' };

const { id, plan, status, nodeCount, hosts } = leaseColumns(lease, {
  id: (row) => row.id,
  plan: (row) => row,
  status: (row) => row.status,
  nodeCount: (row) => row.nodeCount,
  hosts: (row) => row.hosts,
});

/** One row a lease. */
export const COLUMNS: readonly Column<MaskedLease>[] = [
  id,
  ...timeColumns(lease, { csv: 'CREATED', jsonl: 'created' }, 'When it was asked for', (row) => row.created),
  ...plan,
  ...timeColumns(
    lease,
    { csv: 'STARTED', jsonl: 'started' },
    'When it really started, if before the window’s end',
    (row) => row.started,
  ),
  ...timeColumns(
    lease,
    { csv: 'ENDED', jsonl: 'ended' },
    'When it really ended, if before the window’s end',
    (row) => row.ended,
  ),
  ...timeColumns(
    lease,
    { csv: 'DELETED', jsonl: 'deleted' },
    'When it was deleted, at the latest',
    (row) => row.deleted,
  ),
  status,
  nodeCount,
  hosts,
  ownerColumn(lease, 'USER_ID', (row) => row.userId),
  ownerColumn(lease, 'PROJECT_ID', (row) => row.projectId),
];
