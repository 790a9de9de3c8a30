import { expect, test } from 'vitest';
import { groupOf } from '../../../lib/report/event-groups.ts';

/** Nova's names, from Zed to Epoxy, and some of no Nova. */
test.each([
  ['create', ['compute__do_build_and_run_instance', 'conductor_schedule_and_build_instances']],
  ['create', ['compute_rebuild_instance', 'rebuild_server', 'compute_restore_instance']],
  ['delete', ['compute_terminate_instance', 'compute_soft_delete_instance']],
  ['power', ['compute_start_instance', 'compute_stop_instance', 'compute_reboot_instance']],
  ['power', ['compute_pause_instance', 'compute_unpause_instance', 'compute_suspend_instance']],
  ['power', ['compute_resume_instance', 'compute_rescue_instance', 'compute_unrescue_instance']],
  ['move', ['conductor_migrate_server', 'cold_migrate', 'conductor_live_migrate_instance']],
  ['move', ['compute_prep_resize', 'compute_confirm_resize', 'compute_finish_revert_resize']],
  ['move', ['compute_live_migration', 'compute_check_can_live_migrate_source']],
  ['move', ['compute_shelve_instance', 'compute_shelve_offload_instance', 'compute_unshelve_instance']],
  ['storage', ['compute_attach_volume', 'compute_detach_volume', 'compute_swap_volume']],
  ['storage', ['compute_reserve_block_device_name', 'compute_snapshot_instance']],
  ['storage', ['compute_backup_instance', 'compute_volume_snapshot_delete']],
  ['other', ['compute_attach_interface', 'api_lock', 'compute_set_admin_password', 'recreation', '', null]],
] as const)('events that %s: %j', (group, names) => {
  expect(names.map(groupOf)).toEqual(names.map(() => group));
});
