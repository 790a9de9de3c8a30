/** The status of each vm_state, and where a task_state changes it: `_STATE_MAP` in nova/api/openstack/common.py. */
const STATES: Record<string, [status: string, tasks?: Record<string, string>]> = {
  active: [
    'ACTIVE',
    {
      rebooting: 'REBOOT',
      reboot_pending: 'REBOOT',
      reboot_started: 'REBOOT',
      rebooting_hard: 'HARD_REBOOT',
      reboot_pending_hard: 'HARD_REBOOT',
      reboot_started_hard: 'HARD_REBOOT',
      updating_password: 'PASSWORD',
      ...tasks('REBUILD', 'rebuilding rebuild_block_device_mapping rebuild_spawning'),
      migrating: 'MIGRATING',
      ...tasks('RESIZE', 'resize_prep resize_migrating resize_migrated resize_finish'),
    },
  ],
  building: ['BUILD'],
  stopped: [
    'SHUTOFF',
    {
      ...tasks('RESIZE', 'resize_prep resize_migrating resize_migrated resize_finish'),
      ...tasks('REBUILD', 'rebuilding rebuild_block_device_mapping rebuild_spawning'),
    },
  ],
  resized: ['VERIFY_RESIZE', { resize_reverting: 'REVERT_RESIZE' }],
  paused: ['PAUSED', { migrating: 'MIGRATING' }],
  suspended: ['SUSPENDED'],
  rescued: ['RESCUE'],
  error: ['ERROR', tasks('REBUILD', 'rebuilding rebuild_block_device_mapping rebuild_spawning')],
  deleted: ['DELETED'],
  'soft-delete': ['SOFT_DELETED'],
  shelved: ['SHELVED'],
  shelved_offloaded: ['SHELVED_OFFLOADED'],
};

function tasks(status: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, status]));
}

/** What Nova calls a state that it does not know, as that of a row without one, is `UNKNOWN`. */
export function statusOf(vmState: unknown, taskState: unknown): string {
  const [status = 'UNKNOWN', byTask = {}] = STATES[String(vmState)] ?? [];
  return byTask[String(taskState)] ?? status;
}

/** The states that a filter by status means; no task states where one of them is the usual one. */
export function statesOf(statuses: readonly string[]): { vmStates: string[]; taskStates: string[] } {
  const wanted = statuses.map((status) => status.toLowerCase());
  const vmStates = new Set<string>();
  const taskStates = new Set<string>();
  for (const [vmState, [status, byTask = {}]] of Object.entries(STATES)) {
    for (const [task, shown] of [['default', status], ...Object.entries(byTask)] as const) {
      if (!wanted.includes(shown.toLowerCase())) continue;
      vmStates.add(vmState);
      taskStates.add(task);
    }
  }
  return { vmStates: [...vmStates], taskStates: taskStates.has('default') ? [] : [...taskStates] };
}
