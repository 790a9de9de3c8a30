import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { HostFrom } from '../../../lib/config/choices.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import type { TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import type { Mask, Table } from '../../../lib/tables/table.ts';
import { createMask } from '../../../lib/transform/mask.ts';
import { openTransform } from '../../../lib/transform/transform.ts';
import { traceEvent } from '../../support/records.ts';

const NOBODY = {
  hostFrom: 'event',
  excludeUsers: new Set<string>(),
  excludeProjects: new Set<string>(),
} as const;
const salted = createMask('sha2-salted', randomBytes(32));

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
  const open = (hostFrom: HostFrom) => openTransform(instanceEvents, { ...NOBODY, hostFrom }, mask);

  test('has masks for all that identifies, its times and sizes as they were, and nothing else', () => {
    const { start, finish, result } = event;
    expect(open('event').apply([event])[0]).toEqual({
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
    expect(open('instance').apply([event])[0]?.host).toBe('masked cmp-2');
  });

  test('has its instance masked once', () => {
    const { apply } = open('event');
    given.length = 0;
    const [first] = apply([event]);
    const [second] = apply([{ ...event, event: 'compute_stop_instance' }]);
    expect(second?.instance).toBe(first?.instance);
    expect(given.filter((value) => value === 'u-1')).toHaveLength(1);
  });

  test('has the same masks after more users came by than are remembered', () => {
    const asked: (string | null)[] = [];
    const watched = ((value: string | null) => {
      asked.push(value);
      return salted(value);
    }) as Mask;
    const { apply } = openTransform(instanceEvents, NOBODY, watched);
    const userOf = (userId: string) => apply([traceEvent({}, { userId })])[0]?.instance.userId;
    const first = userOf('first');
    for (let nth = 0; nth < 4100; nth++) userOf(`user ${nth}`);
    expect(userOf('first')).toBe(first);
    expect(asked.filter((value) => value === 'first')).toHaveLength(2);
  });
});

describe('rows on their way to their files', () => {
  const eventsOf = (...owners: [uuid: string, userId: string | null, projectId: string | null][]) =>
    owners.map(([uuid, userId, projectId]) => traceEvent({}, { uuid, userId, projectId }));

  test('are left out by user or project, and counted by the reason', () => {
    const settings = { ...NOBODY, excludeUsers: new Set(['u1']), excludeProjects: new Set(['p1']) };
    const transform = openTransform(instanceEvents, settings, createMask('none', Buffer.alloc(0)));
    const left = transform.apply(
      eventsOf(['a', 'u1', 'p1'], ['b', 'u2', 'p1'], ['c', 'u2', 'p2'], ['d', null, null], ['e', 'u1', 'p2']),
    );
    expect(left.map(({ instance }) => instance.uuid)).toEqual(['c', 'd']);
    expect(transform.skipped).toEqual({ excludedUser: 2, excludedProject: 1 });
    transform.apply(eventsOf(['f', 'u1', null]));
    expect(transform.skipped).toEqual({ excludedUser: 3, excludedProject: 1 });
    expect(transform.subjects()).toBe(2);
  });

  test('have their distinct subjects counted, however many objects describe one', () => {
    const transform = openTransform(instanceEvents, NOBODY, salted);
    transform.apply(eventsOf(['a', 'u', 'p'], ['b', 'u', 'p'], ['a', 'u', 'p']));
    transform.apply(eventsOf(['b', 'u', 'p'], ['c', 'u', 'p']));
    expect(transform.subjects()).toBe(3);
  });

  test('of a table without owners or subjects all stay, and none is counted', () => {
    const { name, title, kind, description, order } = instanceEvents;
    const described = { name, title, kind, description, order, columns: [] };
    const bare: Table<TraceEvent, TraceEvent> = { ...described, masked: () => (row) => row };
    const settings = { ...NOBODY, excludeUsers: new Set(['u']) };
    const transform = openTransform(bare, settings, salted);
    expect(transform.apply(eventsOf(['a', 'u', 'p']))).toHaveLength(1);
    expect([transform.skipped, transform.subjects()]).toEqual([{}, 0]);
  });

  test('have every value told before it is masked, and none that is left out', () => {
    const told = new Set<string>();
    const settings = { ...NOBODY, excludeUsers: new Set(['left out']) };
    const { apply } = openTransform(instanceEvents, settings, salted, (value) => {
      if (value !== null) told.add(value);
    });
    const [mine, other] = [
      { uuid: 'a', userId: 'u' },
      { uuid: 'b', userId: 'left out' },
    ];
    apply([traceEvent({ host: 'cmp-7' }, { ...mine, host: 'cmp-8' }), traceEvent({}, other)]);
    expect([...told].toSorted()).toEqual(['a', 'cmp-7', 'project-1', 'u', 'web-1']);
  });
});
