import type { Table } from '../table.ts';
import { COLUMNS } from './columns.ts';
import { maskHosts } from './hosts.ts';
import type { Lease, MaskedLease } from './row.ts';

/** Every lease that existed at any time in the window, and had not ended before. */
export const leases: Table<Lease, MaskedLease> = {
  name: 'leases',
  title: 'Leases',
  kind: 'snapshot',
  onRequest: true,
  description: 'One row for each lease of Blazar that existed in the window',
  columns: COLUMNS,
  order: ({ place }) => place,
  owner: (lease) => lease,
  masked: (masker) => (lease) => ({
    id: masker.maskSubject(lease.id),
    userId: masker.maskShared(lease.userId),
    projectId: masker.maskShared(lease.projectId),
    created: masker.timeOf(lease.created),
    start: masker.planOf(lease.start),
    end: masker.planOf(lease.end),
    started: masker.timeOf(lease.started),
    ended: masker.timeOf(lease.ended),
    deleted: masker.timeOf(lease.deleted),
    status: lease.status,
    nodeCount: lease.nodeCount,
    hosts: maskHosts(lease.hosts, masker),
  }),
};
