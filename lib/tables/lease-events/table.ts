import { maskHosts } from '../leases/hosts.ts';
import type { Table } from '../table.ts';
import { COLUMNS } from './columns.ts';
import { LEASE_EVENTS, type LeaseEvent, type MaskedLeaseEvent } from './row.ts';

/** What became of leases. */
export const leaseEvents: Table<LeaseEvent, MaskedLeaseEvent> = {
  name: 'lease_events',
  title: 'Lease events',
  kind: 'events',
  onRequest: true,
  description: 'One row for each event of a lease of Blazar and each of its reservations',
  columns: COLUMNS,
  order: ({ time, event }) => time + LEASE_EVENTS.indexOf(event) / LEASE_EVENTS.length,
  at: ({ belongs }) => belongs,
  owner: (event) => event,
  masked: (masker) => (row) => {
    const { reservation } = row;
    return {
      id: masker.maskSubject(row.id),
      userId: masker.maskShared(row.userId),
      projectId: masker.maskShared(row.projectId),
      event: row.event,
      time: row.time,
      notBefore: row.notBefore,
      basis: row.basis,
      status: row.status,
      start: masker.planOf(row.start),
      end: masker.planOf(row.end),
      reservationId: masker.maskShared(reservation?.id ?? null),
      reservationStatus: reservation === null ? null : row.reservationStatus,
      type: reservation?.type ?? null,
      min: reservation?.min ?? null,
      max: reservation?.max ?? null,
      properties: reservation?.properties ?? null,
      hosts: maskHosts(reservation?.hosts ?? [], masker),
      nodeCount: reservation?.nodeCount ?? null,
    };
  },
  basis: ({ basis }) => basis,
  cannotShow: [
    'leases that were created and deleted between two reads are not in this table, unless Blazar keeps deleted rows',
    'changes undone between two reads are not in this table',
  ],
};
