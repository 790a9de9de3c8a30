import { onceForEach } from '../../core/collections/once-for-each.ts';
import type { Masker, Table } from '../table.ts';
import { COLUMNS } from './columns.ts';
import type { Instance, MaskedEvent, MaskedInstance, TraceEvent } from './row.ts';

/** The inner join instances ⋈ instance_actions ⋈ instance_actions_events. */
export const instanceEvents: Table<TraceEvent, MaskedEvent> = {
  name: 'instance_events',
  title: 'Instance events',
  kind: 'events',
  description: 'One row for each finished event of a server',
  columns: COLUMNS,
  order: ({ start }) => start,
  at: ({ finish }) => finish,
  owner: ({ instance }) => instance,
  masked(masker) {
    const { maskShared, hostOf } = masker;
    // An instance is masked once, however many events it has.
    const maskInstance = onceForEach((instance: Instance) => maskedInstance(instance, masker));
    return (row) => ({
      instance: maskInstance(row.instance),
      event: row.event,
      start: row.start,
      finish: row.finish,
      result: row.result,
      host: maskShared(hostOf(row)),
    });
  },
};

function maskedInstance(instance: Instance, { mask, maskSubject, maskShared }: Masker): MaskedInstance {
  return {
    uuid: maskSubject(instance.uuid),
    hostname: mask(instance.hostname),
    userId: maskShared(instance.userId),
    projectId: maskShared(instance.projectId),
    memoryMb: instance.memoryMb,
    rootGb: instance.rootGb,
    vcpus: instance.vcpus,
  };
}
