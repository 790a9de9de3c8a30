/** What an event does to its server. In the order in which they are shown. */
export const EVENT_GROUPS = ['create', 'delete', 'power', 'move', 'storage', 'other'] as const;
export type EventGroup = (typeof EVENT_GROUPS)[number];

/** For people. */
export const GROUP_NAMES: Readonly<Record<EventGroup, string>> = {
  create: 'Create',
  delete: 'Delete',
  power: 'Power',
  move: 'Move',
  storage: 'Storage',
  other: 'Other',
};

export const GROUP_NOTES: Readonly<Record<EventGroup, string>> = {
  create: 'build, rebuild, restore',
  delete: 'terminate, soft delete',
  power: 'start, stop, reboot, pause, suspend, rescue',
  move: 'resize, migrate, evacuate, shelve',
  storage: 'volumes, snapshots, backups',
  other: 'interfaces, locks, passwords and the rest',
};

/**
 * Words of Nova's names, `compute_stop_instance`, `conductor_migrate_server`; the first group with one of a name's words
 * has it. Shelving and unshelving take a server off its host and onto one. `volume` goes before `create` and `delete`:
 * `compute_volume_snapshot_delete` deletes no server.
 */
const WORDS: readonly (readonly [EventGroup, ReadonlySet<string>])[] = [
  ['storage', new Set(['volume', 'volumes', 'snapshot', 'backup', 'block', 'device', 'image'])],
  [
    'move',
    new Set(['resize', 'migrate', 'migration', 'migrations', 'evacuate', 'shelve', 'unshelve', 'offload']),
  ],
  ['create', new Set(['build', 'rebuild', 'create', 'restore', 'spawn'])],
  ['delete', new Set(['terminate', 'delete'])],
  [
    'power',
    new Set([
      'start',
      'stop',
      'reboot',
      'pause',
      'unpause',
      'suspend',
      'resume',
      'rescue',
      'unrescue',
      'power',
      'shutdown',
    ]),
  ],
];

/** By the event's name; `other` where no word of it is known. */
export function groupOf(event: string | null): EventGroup {
  const words = (event ?? '').toLowerCase().split(/[^a-z]+/);
  return WORDS.find(([, known]) => words.some((word) => known.has(word)))?.[0] ?? 'other';
}
