import {
  type QuerySchema,
  type Rule,
  anyText,
  dateTime,
  naturalNumber,
  oneOf,
  regex,
} from './query-schema.ts';

/** Sort keys that are columns no one may sort by: passed over before 2.75, refused from there on. */
export const IGNORED_SORT_KEYS =
  'architecture cell_name cleaned default_ephemeral_device default_swap_device deleted deleted_at disable_terminate ephemeral_gb ephemeral_key_uuid id key_data launched_on locked memory_mb os_type reservation_id root_gb shutdown_terminate user_data vcpus vm_mode'.split(
    ' ',
  );

const SORT_KEYS =
  'access_ip_v4 access_ip_v6 auto_disk_config availability_zone config_drive created_at display_description display_name host hostname image_ref instance_type_id kernel_id key_name launch_index launched_at locked_by node power_state progress project_id ramdisk_id root_device_name task_state terminated_at updated_at user_id uuid vm_state'.split(
    ' ',
  );

const TEXTS =
  'user_id project_id tenant_id launch_index image_ref image vm_state task_state host uuid sort_dir all_tenants soft_deleted deleted status marker';
const REGEXES =
  'kernel_id ramdisk_id hostname key_name power_state node flavor reservation_id launched_at terminated_at availability_zone name display_name description display_description locked_by root_device_name config_drive access_ip_v4 access_ip_v6 auto_disk_config progress ip ip6 created_at';
/** Refused later, as what begins with an underscore is. */
export const JOINED_TABLES =
  'block_device_mapping services metadata system_metadata info_cache security_groups pci_devices';

/** Source: nova/api/openstack/compute/schemas/servers.py. */
export function serverQuerySchema(minor: number): QuerySchema {
  const sortKeys = [
    ...SORT_KEYS,
    ...(minor < 75 ? IGNORED_SORT_KEYS : []),
    ...(minor < 73 ? [] : ['locked']),
  ];
  return {
    properties: {
      ...each(TEXTS, anyText),
      ...each(REGEXES, regex),
      ...each(JOINED_TABLES, anyText),
      ...(minor < 26 ? {} : each('tags tags-any not-tags not-tags-any', regex)),
      // What is not in the schema is passed over, so before 2.66 this is, without a word.
      ...(minor < 66 ? {} : { 'changes-before': dateTime }),
      ...(minor < 73 ? {} : { locked: anyText }),
      sort_key: oneOf(sortKeys),
      'changes-since': dateTime,
      limit: naturalNumber,
    },
    additional: minor < 75 ? 'strip' : 'refuse',
    pattern: /^_/,
  };
}

/** What of a query counts for those who are no administrators; the rest is passed over (`_get_server_search_options`). */
export function openToAll(minor: number): Set<string> {
  const names: [from: number, names: string][] = [
    [1, 'reservation_id name status image flavor ip changes-since all_tenants'],
    [5, 'ip6'],
    [26, 'tags tags-any not-tags not-tags-any'],
    [66, 'changes-before'],
    [73, 'locked'],
    [
      83,
      'availability_zone config_drive key_name created_at launched_at terminated_at power_state task_state vm_state progress user_id',
    ],
    [90, 'hostname'],
  ];
  return new Set(names.filter(([from]) => minor >= from).flatMap(([, list]) => list.split(' ')));
}

function each(names: string, rule: Rule): Record<string, Rule> {
  return Object.fromEntries(names.split(' ').map((name) => [name, rule]));
}
