import { describe, expect, test } from 'vitest';
import type { TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import { hostOf } from '../../../lib/transform/host.ts';
import { traceEvent } from '../../support/records.ts';

const ran = (event: string, host: string | null, instanceHost: string | null): TraceEvent =>
  traceEvent({ event, host }, { host: instanceHost, node: 'node-7' });

describe('the host of a row', () => {
  test.each([
    ['compute_reboot_instance', 'cmp-1', 'cmp-2', 'cmp-1'],
    ['compute__do_build_and_run_instance', 'cmp-1', null, 'cmp-1'],
    ['compute_reboot_instance', null, 'cmp-2', 'cmp-2'],
    ['compute_reboot_instance', '', 'cmp-2', 'cmp-2'],
    ['conductor_migrate_server', 'ctl-1', 'cmp-2', 'cmp-2'],
    ['api_lock', 'ctl-1', 'cmp-2', 'cmp-2'],
    ['conductor_schedule_and_build_instances', 'ctl-1', null, 'ctl-1'],
    ['cold_migrate', 'ctl-1', '', 'ctl-1'],
    ['cold_migrate', null, null, null],
  ])('of %s recorded on %s, of an instance on %s, is %s', (event, host, instanceHost, expected) => {
    expect(hostOf(ran(event, host, instanceHost), 'event')).toBe(expected);
  });

  test('of an event without a name is the instance’s', () => {
    expect(hostOf({ ...ran('', 'cmp-1', 'cmp-2'), event: null }, 'event')).toBe('cmp-2');
  });

  test('is always the instance’s where that is asked for, as the original tool had it', () => {
    expect(hostOf(ran('compute_reboot_instance', 'cmp-1', 'cmp-2'), 'instance')).toBe('cmp-2');
    expect(hostOf(ran('compute_reboot_instance', 'cmp-1', null), 'instance')).toBeNull();
  });

  test('is the node on bare metal', () => {
    expect(hostOf(ran('compute_reboot_instance', 'cmp-1', 'cmp-2'), 'node')).toBe('node-7');
  });
});
