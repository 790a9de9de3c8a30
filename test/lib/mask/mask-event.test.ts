import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { eventMasker, hostOf } from '../../../lib/mask/mask-event.ts';
import { type Mask, createMask } from '../../../lib/mask/mask.ts';
import type { MaskedInstance } from '../../../lib/mask/masked-event.ts';
import type { TraceEvent } from '../../../lib/source/source.ts';
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

describe('an event that is masked', () => {
  /** Tells what it was given, and how often. */
  const given: (string | null)[] = [];
  const mask = ((value: string | null) => {
    given.push(value);
    return value === null ? null : `masked ${value}`;
  }) as Mask;
  const event = traceEvent(
    { event: 'compute_reboot_instance', host: 'cmp-1' },
    { uuid: 'u-1', hostname: null, userId: 'user', projectId: 'project', host: 'cmp-2', node: 'node-7' },
  );
  const { memoryMb, rootGb, vcpus } = event.instance;

  test('has masks for all that identifies, its times and sizes as they were, and nothing else', () => {
    const { start, finish, result } = event;
    expect(eventMasker(mask, 'event')(event)).toEqual({
      instance: {
        uuid: 'masked u-1',
        hostname: null,
        userId: 'masked user',
        projectId: 'masked project',
        memoryMb,
        rootGb,
        vcpus,
      },
      event: 'compute_reboot_instance',
      start,
      finish,
      result,
      host: 'masked cmp-1',
    });
    expect(eventMasker(mask, 'instance')(event).host).toBe('masked cmp-2');
  });

  test('has its instance masked, and told of, once', () => {
    const told: MaskedInstance[] = [];
    const masker = eventMasker(mask, 'event', (instance) => told.push(instance));
    given.length = 0;
    const [first, second] = [masker(event), masker({ ...event, event: 'compute_stop_instance' })];
    expect(second.instance).toBe(first.instance);
    expect(told).toEqual([first.instance]);
    expect(given.filter((value) => value === 'u-1')).toHaveLength(1);
  });

  test('has the same masks after more users came by than are remembered', () => {
    const asked: (string | null)[] = [];
    const salted = createMask('sha2-salted', randomBytes(32));
    const masker = eventMasker(
      ((value: string | null) => {
        asked.push(value);
        return salted(value);
      }) as Mask,
      'event',
    );
    const userOf = (userId: string): string | null => masker(traceEvent({}, { userId })).instance.userId;
    const first = userOf('first');
    for (let nth = 0; nth < 4100; nth++) userOf(`user ${nth}`);
    expect(userOf('first')).toBe(first);
    expect(asked.filter((value) => value === 'first')).toHaveLength(2);
  });
});
