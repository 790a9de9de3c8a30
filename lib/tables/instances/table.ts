import type { Table } from '../table.ts';
import { COLUMNS } from './columns.ts';
import type { MaskedServer, Server } from './row.ts';

/** Every server that existed at any time in the window. */
export const instances: Table<Server, MaskedServer> = {
  name: 'instances',
  title: 'Servers',
  kind: 'snapshot',
  description: 'One row for each server that existed in the window',
  columns: COLUMNS,
  order: ({ place }) => place,
  owner: (server) => server,
  masked:
    ({ mask, maskSubject, maskShared, hostOf, timeOf }) =>
    (server) => ({
      uuid: maskSubject(server.uuid),
      created: timeOf(server.created),
      launched: timeOf(server.launched),
      deleted: timeOf(server.deleted),
      state: server.state,
      memoryMb: server.memoryMb,
      rootGb: server.rootGb,
      vcpus: server.vcpus,
      hostname: mask(server.hostname),
      userId: maskShared(server.userId),
      projectId: maskShared(server.projectId),
      host: maskShared(hostOf({ event: null, host: null, instance: server })),
      reservationId: maskShared(server.reservationId),
    }),
};
