import { DAY, HOUR, MINUTE } from '../../../lib/core/time.ts';
import type { Window } from '../../../lib/core/window.ts';
import type { LeaseEvent, LeaseEventName } from '../../../lib/tables/lease-events/row.ts';
import type { Lease } from '../../../lib/tables/leases/row.ts';
import { seeded } from '../nova/prng.ts';
import { type Estate, busyEstate } from './estate.ts';

/** The same with leases of its hosts: some run all day, many are made in it, some are given back or fail. */
export function leasedEstate(window: Window, count: number): Estate {
  const estate = busyEstate(window, count * 2);
  const random = seeded(window.start);
  const { start, end } = window;
  const leases = Array.from({ length: count }, (_, nth): Lease => {
    const created = Math.floor(start + random.between(-3, 1) * DAY);
    const planned =
      created - (created % MINUTE) + (nth % 3 === 0 ? Math.floor(random.between(1, 60)) * HOUR : 0);
    const until = planned + random.pick([1, 2, 4, 8, 12, 24, 48]) * HOUR;
    const isFailed = nth % 17 === 0;
    const deleted = nth % 7 === 0 ? planned + Math.floor((until - planned) * random.next()) - HOUR : Infinity;
    const begun = Math.max(created, planned) + 20;
    const isOver = (time: number): boolean => time < end;
    const started = !isFailed && begun < deleted && isOver(begun) ? begun : null;
    const ended = started !== null && deleted > until && isOver(until + 12) ? until + 12 : null;
    const isDeleted = isOver(deleted);
    return {
      id: random.uuid(),
      userId: `user-${nth % 20}`,
      projectId: `project-${nth % 7}`,
      created,
      start: planned,
      end: until,
      started,
      ended,
      deleted: isDeleted ? deleted : null,
      status: isDeleted
        ? 'DELETED'
        : ended !== null
          ? 'TERMINATED'
          : isFailed
            ? 'ERROR'
            : started === null
              ? 'PENDING'
              : 'ACTIVE',
      nodeCount: 1 + (nth % 4),
      hosts: Array.from({ length: 1 + (nth % 4) }, (_one, at) => {
        const { host = '', node = null } =
          estate.machines[(nth * 7 + at * 11) % estate.machines.length] ?? {};
        return { host, node };
      }),
      place: nth,
    };
  }).filter(({ ended, deleted }) => Math.min(ended ?? Infinity, deleted ?? Infinity) >= start);
  return { ...estate, leases, leaseEvents: leases.flatMap((lease) => eventsOf(lease, window)) };
}

function eventsOf(lease: Lease, { start, end }: Window): LeaseEvent[] {
  const event = (name: LeaseEventName, time: number | null): LeaseEvent[] => {
    if (time === null || time < start || time >= end) return [];
    const { id, userId, projectId, hosts, nodeCount } = lease;
    const reservation = {
      id: `of-${id}`,
      type: 'physical:host',
      min: 1,
      max: 4,
      properties: null,
      hosts,
      nodeCount,
    };
    return [
      {
        id,
        userId,
        projectId,
        start: lease.start,
        end: lease.end,
        event: name,
        status: lease.status,
        reservation,
        reservationStatus: 'active',
        time,
        notBefore: null,
        basis: 'recorded',
        belongs: time,
      },
    ];
  };
  return [
    ...event('CREATE', lease.created),
    ...event('START', lease.started),
    ...event('END', lease.ended),
    ...event('DELETE', lease.deleted),
  ];
}
