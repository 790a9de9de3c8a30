import { MINUTE, type Seconds } from '../../../lib/core/time.ts';
import type { Row } from '../../support/mariadb/index.ts';
import { sqlTime } from '../../support/nova/sql-time.ts';
import type { BareMetalHistory, DemoAction, DemoLease, DemoNode, DemoServer } from './history.ts';

export type Tables = Readonly<Record<string, readonly Row[]>>;

/** The compute that stands for all nodes. */
const COMPUTE = 'compute-of-ironic';

/** What Ironic's tables hold at a time. */
export function ironicAt(time: Seconds, { nodes, servers }: BareMetalHistory): Tables {
  const running = new Set(servers.filter((server) => runs(server, time)).map(({ node }) => node));
  const there = nodes.filter(({ enrolled, removed }) => enrolled < time && removed >= time);
  return {
    nodes: there.map((node) => {
      const flips = node.maintained.flat().filter((flip) => flip < time);
      return {
        uuid: node.uuid,
        name: node.name,
        created_at: sqlTime(node.enrolled),
        updated_at: sqlTime(Math.max(node.enrolled, ...flips)),
        provision_state: running.has(node) ? 'active' : 'available',
        maintenance: flips.length % 2,
        maintenance_reason: flips.length % 2 === 1 ? `${node.name}: disk to be replaced` : null,
        resource_class: 'baremetal',
        properties: JSON.stringify({
          cpus: node.kind.cpus,
          memory_mb: node.kind.memoryMb,
          local_gb: node.kind.diskGb,
          cpu_arch: 'x86_64',
        }),
      };
    }),
  };
}

function runs({ created, deleted }: DemoServer, time: Seconds): boolean {
  return created < time && deleted >= time;
}

/** What Blazar's tables hold at a time: of a lease that its user deleted, nothing. */
export function blazarAt(time: Seconds, { nodes, leases }: BareMetalHistory): Tables {
  const live = leases.filter(({ created, deleted }) => created < time && deleted >= time);
  const hosts = nodes.filter(({ enrolled, removed }) => enrolled < time && removed >= time);
  const idOf = (node: DemoNode): string => String(nodes.indexOf(node) + 1);
  return {
    resource_properties: ['node_type', 'placement.rack'].map((name) => ({
      id: name,
      resource_type: 'physical:host',
      property_name: name,
      private: 0,
    })),
    computehosts: hosts.map((node) => ({
      id: idOf(node),
      created_at: sqlTime(node.enrolled + MINUTE),
      vcpus: 0,
      cpu_info: '',
      hypervisor_type: 'ironic',
      hypervisor_version: 1,
      hypervisor_hostname: node.uuid,
      memory_mb: 0,
      local_gb: 0,
      service_name: COMPUTE,
      trust_id: `trust-${idOf(node)}`,
      reservable: 1,
      availability_zone: 'nova',
    })),
    computehost_extra_capabilities: hosts.flatMap((node) =>
      Object.entries({ node_type: node.kind.type, 'placement.rack': node.rack }).map(([name, value]) => ({
        id: `${idOf(node)}-${name}`,
        created_at: sqlTime(node.enrolled + MINUTE),
        computehost_id: idOf(node),
        property_id: name,
        capability_value: value,
      })),
    ),
    leases: live.map((lease) => leaseRow(lease, time)),
    reservations: live.map((lease) => ({
      id: lease.reservation,
      created_at: sqlTime(lease.created + 1),
      updated_at: sqlTime(lastOf(lease, time)),
      lease_id: lease.id,
      resource_type: 'physical:host',
      status: { PENDING: 'pending', ACTIVE: 'active', ERROR: 'error', TERMINATED: 'deleted' }[
        statusOf(lease, time)
      ],
      missing_resources: 0,
      resources_changed: 0,
    })),
    computehost_reservations: live.map((lease) => ({
      id: `of-${lease.reservation.slice(0, 30)}`,
      created_at: sqlTime(lease.created + 1),
      reservation_id: lease.reservation,
      resource_properties: JSON.stringify(['==', '$node_type', lease.nodes[0]?.kind.type]),
      count_range: `${lease.nodes.length}-${lease.nodes.length}`,
      hypervisor_properties: '',
      before_end: 'default',
    })),
    // They are gone once the lease has ended.
    computehost_allocations: live
      .filter(({ ended }) => ended >= time)
      .flatMap((lease) =>
        lease.nodes.map((node) => ({
          id: `${idOf(node)}-${lease.reservation.slice(0, 30)}`,
          created_at: sqlTime(lease.created + 1),
          compute_host_id: idOf(node),
          reservation_id: lease.reservation,
        })),
      ),
    events: live.flatMap((lease) => eventRows(lease, time)),
  };
}

function statusOf(
  { started, failed, ended }: DemoLease,
  time: Seconds,
): 'PENDING' | 'ACTIVE' | 'ERROR' | 'TERMINATED' {
  if (ended < time) return 'TERMINATED';
  if (failed < time) return 'ERROR';
  return started < time ? 'ACTIVE' : 'PENDING';
}

function lastOf({ created, extended, started, failed, ended }: DemoLease, time: Seconds): Seconds {
  return Math.max(created + 2, ...[extended, started, failed, ended].filter((one) => one < time));
}

function endOf({ extended, extendedTo, end }: DemoLease, time: Seconds): Seconds {
  return extended < time ? extendedTo : end;
}

function leaseRow(lease: DemoLease, time: Seconds): Row {
  return {
    id: lease.id,
    created_at: sqlTime(lease.created),
    updated_at: sqlTime(lastOf(lease, time)),
    name: `lease of ${lease.userId.slice(0, 6)}`,
    user_id: lease.userId,
    project_id: lease.projectId,
    start_date: sqlTime(lease.start),
    end_date: sqlTime(endOf(lease, time)),
    trust_id: `trust-${lease.id.slice(0, 8)}`,
    status: statusOf(lease, time),
    degraded: 0,
  };
}

function eventRows(lease: DemoLease, time: Seconds): Row[] {
  const { id, created, start, started, failed, ended, extended } = lease;
  const event = (type: string, planned: Seconds, done: Seconds, status: string, changed: Seconds): Row => ({
    id: `${type.slice(0, 5)}-${id.slice(0, 30)}`,
    created_at: sqlTime(created + 1),
    updated_at: done < time ? sqlTime(done) : changed < time ? sqlTime(changed) : null,
    lease_id: id,
    event_type: type,
    time: sqlTime(planned),
    status: done < time ? status : 'UNDONE',
  });
  return [
    failed < Infinity
      ? event('start_lease', start, failed, 'ERROR', Infinity)
      : event('start_lease', start, started, 'DONE', Infinity),
    event('end_lease', endOf(lease, time), ended, 'DONE', extended),
  ];
}

/** What has changed in Nova's tables of servers in `[from, time)`. */
export function serversAt(
  from: Seconds,
  time: Seconds,
  { servers, actions }: BareMetalHistory,
): Record<'instances' | 'instance_actions' | 'instance_actions_events', Row[]> {
  const isDue = (at: Seconds): boolean => at >= from && at < time;
  const done = actions.filter(({ start, finish }) => isDue(start) || isDue(finish));
  return {
    instances: servers
      .filter(({ created, launched, deleted }) => [created, launched, deleted].some(isDue))
      .map((server) => serverRow(server, time)),
    instance_actions: done.map((action) => actionRow(action, time)),
    instance_actions_events: done.map((action) => eventRow(action, time)),
  };
}

/** What Nova knows of the nodes: no capacity, and that one is gone up to a minute late. */
export function computeNodesAt(time: Seconds, { nodes }: BareMetalHistory): Row[] {
  return nodes.flatMap(({ uuid, enrolled, removed }, nth) => {
    const [id, noticed] = [nth + 1, removed + 35];
    if (enrolled >= time) return [];
    return {
      id,
      uuid,
      host: COMPUTE,
      hypervisor_hostname: uuid,
      hypervisor_type: 'ironic',
      hypervisor_version: 1,
      created_at: sqlTime(enrolled + 40),
      deleted_at: noticed < time ? sqlTime(noticed) : null,
      deleted: noticed < time ? id : 0,
      vcpus: 0,
      memory_mb: 0,
      local_gb: 0,
      vcpus_used: 0,
      memory_mb_used: 0,
      local_gb_used: 0,
      cpu_info: '',
    };
  });
}

function serverRow(
  { id, uuid, name, lease, node, created, launched, deleted }: DemoServer,
  time: Seconds,
): Row {
  const isGone = deleted < time;
  return {
    id,
    uuid,
    created_at: sqlTime(created),
    updated_at: sqlTime(isGone ? deleted : launched < time ? launched : created),
    launched_at: launched < time ? sqlTime(launched) : null,
    deleted_at: isGone ? sqlTime(deleted) : null,
    terminated_at: isGone ? sqlTime(deleted) : null,
    deleted: isGone ? id : 0,
    vm_state: isGone ? 'deleted' : launched < time ? 'active' : 'building',
    hostname: name,
    user_id: lease.userId,
    project_id: lease.projectId,
    host: COMPUTE,
    node: node.uuid,
    availability_zone: `blazar_${lease.reservation}`,
    memory_mb: node.kind.memoryMb,
    root_gb: node.kind.diskGb,
    vcpus: node.kind.cpus,
  };
}

function actionRow({ id, name, server, start, finish }: DemoAction, time: Seconds): Row {
  return {
    id,
    action: name,
    instance_uuid: server.uuid,
    request_id: `req-${id}`,
    created_at: sqlTime(start),
    start_time: sqlTime(start),
    updated_at: sqlTime(finish < time ? finish : start),
    deleted: 0,
  };
}

function eventRow({ id, name, start, finish }: DemoAction, time: Seconds): Row {
  const isDone = finish < time;
  return {
    id,
    action_id: id,
    event: name === 'create' ? 'compute__do_build_and_run_instance' : 'compute_terminate_instance',
    created_at: sqlTime(start),
    start_time: sqlTime(start),
    finish_time: isDone ? sqlTime(finish) : null,
    updated_at: isDone ? sqlTime(finish) : null,
    result: isDone ? 'Success' : null,
    host: COMPUTE,
    deleted: 0,
  };
}
