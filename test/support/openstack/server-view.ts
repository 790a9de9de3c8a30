import { createHash } from 'node:crypto';
import type { Row } from '../mariadb/index.ts';
import { flavorOf } from './flavor.ts';
import { actionTime, serverTime } from './instants.ts';
import type { NovaCall } from './nova.ts';
import type { CellRow } from './server-order.ts';
import { statusOf } from './status.ts';

const WITH_PROGRESS = ['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING'];

/** A server as `show` in nova/api/openstack/compute/views/servers.py makes it of its row. */
export function serverView(call: NovaCall, { cell, row }: CellRow, { inList }: { inList: boolean }): object {
  const { minor, isAdmin } = call;
  const status = row['deleted'] ? 'DELETED' : statusOf(row['vm_state'], row['task_state']);
  const now = call.cloud.now();
  // The list gets the faults from one database, which is cell0's only where Nova is configured so.
  const fault = status === 'ERROR' && !(inList && cell.name === 'cell0') ? faultOf(row, call) : undefined;
  return {
    id: row['uuid'],
    name: row['display_name'],
    status,
    tenant_id: row['project_id'] ?? '',
    user_id: row['user_id'] ?? '',
    metadata: {},
    hostId: hostId(row['host'], row['project_id']),
    image: imageOf(call, row['image_ref']),
    flavor: flavorView(call, row),
    created: serverTime(row['created_at'], now),
    updated: serverTime(row['updated_at'], now),
    addresses: {},
    accessIPv4: row['access_ip_v4'] ?? '',
    accessIPv6: row['access_ip_v6'] ?? '',
    links: linksOf(call, 'servers', String(row['uuid'])),
    'OS-DCF:diskConfig': row['auto_disk_config'] ? 'AUTO' : 'MANUAL',
    ...(fault === undefined ? {} : { fault }),
    ...(WITH_PROGRESS.includes(status) ? { progress: row['progress'] ?? 0 } : {}),
    'OS-EXT-AZ:availability_zone': row['availability_zone'] ?? (row['host'] ? 'nova' : ''),
    config_drive: row['config_drive'] ?? '',
    key_name: row['key_name'],
    'OS-SRV-USG:launched_at': actionTime(row['launched_at']),
    'OS-SRV-USG:terminated_at': actionTime(row['terminated_at']),
    ...(isAdmin ? extendedAttributes(row, minor) : {}),
    'OS-EXT-STS:task_state': row['task_state'],
    'OS-EXT-STS:vm_state': row['vm_state'],
    'OS-EXT-STS:power_state': row['power_state'] ?? 0,
    'os-extended-volumes:volumes_attached': [],
    ...(minor >= 16 && isAdmin ? { host_status: row['host'] && status !== 'DELETED' ? 'UP' : '' } : {}),
    ...(minor >= 9 ? { locked: Boolean(row['locked_by']) } : {}),
    ...(minor >= 73 ? { locked_reason: null } : {}),
    ...(minor >= 19 ? { description: row['display_description'] } : {}),
    ...(minor >= 26 ? { tags: [] } : {}),
    ...(minor >= 63 ? { trusted_image_certificates: null } : {}),
    ...(minor >= 90 && !isAdmin ? { 'OS-EXT-SRV-ATTR:hostname': row['hostname'] } : {}),
    ...(minor >= 71 && !inList ? { server_groups: [] } : {}),
  };
}

/** A server in a list without details. */
export function briefView(call: NovaCall, { row }: CellRow): object {
  const id = String(row['uuid']);
  return { id, name: row['display_name'], links: linksOf(call, 'servers', id) };
}

/** What is left of a server in a list while its cell is down. */
export function stubView(call: NovaCall, row: Row, isDetail: boolean): object {
  const id = String(row['uuid']);
  const links = linksOf(call, 'servers', id);
  if (!isDetail) return { id, status: 'UNKNOWN', links };
  return {
    id,
    status: 'UNKNOWN',
    tenant_id: row['project_id'],
    created: serverTime(row['created_at'], call.cloud.now()),
    links,
  };
}

/** And what is left of it by itself, which its request tells. */
export function downView(call: NovaCall, row: Row): object {
  return {
    ...stubView(call, row, true),
    image: imageOf(call, row['image_ref']),
    flavor: flavorView(call, row),
    'OS-EXT-AZ:availability_zone': row['availability_zone'] ?? 'UNKNOWN',
    'OS-EXT-STS:power_state': 0,
    user_id: row['user_id'] ?? 'UNKNOWN',
    ...(call.minor >= 71 ? { server_groups: [] } : {}),
  };
}

function extendedAttributes(row: Row, minor: number): object {
  const prefix = 'OS-EXT-SRV-ATTR';
  return {
    [`${prefix}:host`]: row['host'],
    [`${prefix}:instance_name`]: `instance-${Number(row['id']).toString(16).padStart(8, '0')}`,
    [`${prefix}:hypervisor_hostname`]: row['node'],
    ...(minor < 3
      ? {}
      : {
          [`${prefix}:reservation_id`]: row['reservation_id'],
          [`${prefix}:launch_index`]: row['launch_index'] ?? 0,
          [`${prefix}:hostname`]: row['hostname'],
          [`${prefix}:kernel_id`]: row['kernel_id'] ?? '',
          [`${prefix}:ramdisk_id`]: row['ramdisk_id'] ?? '',
          [`${prefix}:root_device_name`]: row['root_device_name'],
          [`${prefix}:user_data`]: row['user_data'],
        }),
  };
}

/** From 2.47 on the sizes themselves, before it only where to find them. */
function flavorView(call: NovaCall, row: Row): object {
  const { id, name, vcpus, ram, disk, ephemeral } = flavorOf(row);
  if (call.minor < 47) return { id, links: [bookmark(call, 'flavors', id)] };
  const named = call.cloud.flavorNames.get(String(row['uuid'])) ?? name;
  return { vcpus, ram, disk, ephemeral, swap: 0, original_name: named, extra_specs: {} };
}

function imageOf(call: NovaCall, image: unknown): unknown {
  if (typeof image !== 'string' || image === '') return '';
  const id = image.slice(image.lastIndexOf('/') + 1);
  return { id, links: [bookmark(call, 'images', id)] };
}

function faultOf(row: Row, { cloud, isAdmin }: NovaCall): object {
  return {
    code: 500,
    created: serverTime(row['updated_at'], cloud.now()),
    message: 'Build of instance aborted: Failure prepping block device.',
    ...(isAdmin ? { details: 'Traceback (most recent call last):\n  File "manager.py", line 1\n' } : {}),
  };
}

export function linksOf(call: NovaCall, collection: string, id: string): object[] {
  return [{ rel: 'self', href: `${call.base}/${collection}/${id}` }, bookmark(call, collection, id)];
}

function bookmark(call: NovaCall, collection: string, id: string): object {
  return { rel: 'bookmark', href: `${call.base.replace('/v2.1', '')}/${collection}/${id}` };
}

/** `generate_hostid` in nova/utils.py. */
export function hostId(host: unknown, project: unknown): string {
  if (typeof host !== 'string' || host === '') return '';
  return createHash('sha224')
    .update(`${String(project)}${host}`)
    .digest('hex');
}
