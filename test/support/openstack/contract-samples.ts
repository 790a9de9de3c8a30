import type { ContractTarget, Json } from './contract-target.ts';

/** The uuid of no server. */
export const NO_SERVER = '11111111-2222-4333-8444-555555555555';

export async function aLiveServer(cloud: ContractTarget): Promise<Json> {
  return one(await cloud.settled(), 'live', ({ status }) => status !== 'DELETED');
}

export async function aDeletedServer(cloud: ContractTarget): Promise<Json> {
  return one(await cloud.settled(), 'deleted', ({ status }) => status === 'DELETED');
}

function one(servers: Json[], kind: string, fits: (server: Json) => boolean): Json {
  const found = servers.find(fits);
  if (found === undefined) throw new Error(`The cloud has no ${kind} server that is at rest`);
  return found;
}

const FIELDS: [from: number, names: string][] = [
  [
    1,
    'OS-DCF:diskConfig OS-EXT-AZ:availability_zone OS-EXT-SRV-ATTR:host OS-EXT-SRV-ATTR:hypervisor_hostname OS-EXT-SRV-ATTR:instance_name OS-EXT-STS:power_state OS-EXT-STS:task_state OS-EXT-STS:vm_state OS-SRV-USG:launched_at OS-SRV-USG:terminated_at accessIPv4 accessIPv6 addresses config_drive created flavor hostId id image key_name links metadata name os-extended-volumes:volumes_attached status tenant_id updated user_id',
  ],
  [
    3,
    'OS-EXT-SRV-ATTR:hostname OS-EXT-SRV-ATTR:kernel_id OS-EXT-SRV-ATTR:launch_index OS-EXT-SRV-ATTR:ramdisk_id OS-EXT-SRV-ATTR:reservation_id OS-EXT-SRV-ATTR:root_device_name OS-EXT-SRV-ATTR:user_data',
  ],
  [9, 'locked'],
  [16, 'host_status'],
  [19, 'description'],
  [26, 'tags'],
  [63, 'trusted_image_certificates'],
  [73, 'locked_reason'],
];

/** What an administrator sees at a microversion; `keysOf` gives the same. */
export function serverKeys(minor: number, { inList }: { inList: boolean }): string[] {
  const names = FIELDS.filter(([from]) => minor >= from).flatMap(([, list]) => list.split(' '));
  return [...names, ...(minor >= 71 && !inList ? ['server_groups'] : [])].toSorted();
}

/** Without those that depend on the state and the network of a server. */
export function keysOf(server: object): string[] {
  return Object.keys(server)
    .filter((key) => !['fault', 'progress', 'security_groups'].includes(key))
    .toSorted();
}
