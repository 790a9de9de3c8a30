/** An action on a server at rest: the events it records one after another, as Nova 26 does. */
export interface Operation {
  action: string;
  events: readonly string[];
  /** How often, among the others. */
  weight: number;
  /** The longest that an event of it normally takes, in seconds. */
  seconds: number;
  /** The server ends up on another host, or with another flavour. */
  moves?: boolean;
}

export const BUILD = 'compute__do_build_and_run_instance';
export const TERMINATE = 'compute_terminate_instance';
/** Recorded in cell0 for a server that no host would take. */
export const NO_VALID_HOST = 'conductor_schedule_and_build_instances';

export const OPERATIONS: readonly Operation[] = [
  { action: 'stop', events: ['compute_stop_instance'], weight: 20, seconds: 60 },
  { action: 'start', events: ['compute_start_instance'], weight: 20, seconds: 8 },
  { action: 'reboot', events: ['compute_reboot_instance'], weight: 14, seconds: 20 },
  { action: 'createImage', events: ['compute_snapshot_instance'], weight: 6, seconds: 300 },
  { action: 'attach_volume', events: ['compute_attach_volume'], weight: 6, seconds: 6 },
  { action: 'detach_volume', events: ['compute_detach_volume'], weight: 5, seconds: 4 },
  { action: 'attach_interface', events: ['compute_attach_interface'], weight: 3, seconds: 4 },
  { action: 'suspend', events: ['compute_suspend_instance'], weight: 3, seconds: 15 },
  { action: 'resume', events: ['compute_resume_instance'], weight: 3, seconds: 15 },
  { action: 'lock', events: ['api_lock'], weight: 2, seconds: 0 },
  { action: 'unlock', events: ['api_unlock'], weight: 2, seconds: 0 },
  { action: 'rebuild', events: ['rebuild_server', 'compute_rebuild_instance'], weight: 4, seconds: 40 },
  { action: 'shelve', events: ['compute_shelve_instance'], weight: 2, seconds: 90 },
  {
    action: 'resize',
    events: [
      'conductor_migrate_server',
      'cold_migrate',
      'compute_prep_resize',
      'compute_resize_instance',
      'compute_finish_resize',
    ],
    weight: 3,
    seconds: 60,
    moves: true,
  },
  {
    action: 'live-migration',
    events: [
      'conductor_live_migrate_instance',
      'compute_check_can_live_migrate_destination',
      'compute_check_can_live_migrate_source',
      'compute_pre_live_migration',
      'compute_live_migration',
      'compute_post_live_migration_at_destination',
    ],
    weight: 2,
    seconds: 30,
    moves: true,
  },
];

export interface Flavour {
  vcpus: number;
  memory_mb: number;
  root_gb: number;
}

export const FLAVOURS: readonly Flavour[] = [
  { vcpus: 1, memory_mb: 512, root_gb: 1 },
  { vcpus: 1, memory_mb: 2048, root_gb: 20 },
  { vcpus: 2, memory_mb: 4096, root_gb: 40 },
  { vcpus: 4, memory_mb: 8192, root_gb: 80 },
  { vcpus: 8, memory_mb: 16384, root_gb: 160 },
  { vcpus: 16, memory_mb: 65536, root_gb: 320 },
  { vcpus: 24, memory_mb: 131072, root_gb: 240 },
  // Booted from a volume.
  { vcpus: 2, memory_mb: 8192, root_gb: 0 },
];

/** Names that a careless writer of CSV or SQL breaks; none beyond the BMP, which Nova refuses. */
export const AWKWARD_NAMES: readonly string[] = [
  'comma, separated, name',
  'a "quoted" name',
  "o'brien",
  '=1+2',
  '@SUM(A1:A9)',
  '-leading-dash',
  'Zürich №5',
  '日本語サーバー',
  'back\\slash',
  "'); DROP TABLE instances; --",
  'combining e\u0301',
  'no\u00a0break',
];

/** The events that a controller records as its own host's. */
export function runsOnController(event: string): boolean {
  return !event.startsWith('compute_');
}
