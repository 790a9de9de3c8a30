import { DAY, HOUR } from '../../../lib/core/time.ts';
import type { Window } from '../../../lib/core/window.ts';
import type { LeaseEvent } from '../../../lib/tables/lease-events/row.ts';
import type { Lease } from '../../../lib/tables/leases/row.ts';
import type { MachineEvent } from '../../../lib/tables/machine-events/row.ts';
import type { Machine } from '../../../lib/tables/machines/row.ts';
import type { Server } from '../../../lib/tables/instances/row.ts';
import { placeOf } from '../../../lib/tables/instances/place.ts';
import { FLAVOURS } from '../nova/catalogue.ts';
import { seeded } from '../nova/prng.ts';

/** Servers and hosts that existed in a window, and what became of the hosts. */
export interface Estate {
  readonly servers: readonly Server[];
  readonly machines: readonly Machine[];
  readonly changes: readonly MachineEvent[];
  /** For a drop that has tables of leases, too. */
  readonly leases?: readonly Lease[];
  readonly leaseEvents?: readonly LeaseEvent[];
}

const HOSTS = 40;
const CAPACITY = { vcpus: 640, memoryMb: 2_621_440, diskGb: 12_000 };

/** A cloud of 40 hosts and some thousand servers, most of them old, many of a day; one host is disabled at noon. */
export function busyEstate({ start, end }: Window, servers: number): Estate {
  const random = seeded(start + servers);
  const hosts = Array.from({ length: HOSTS }, (_, nth) => `cmp-${String(nth + 1).padStart(3, '0')}`);
  const machines = hosts.map((host, nth): Machine => ({
    host,
    node: `r${1 + Math.floor(nth / 10)}-${host}.example`,
    created: nth === HOSTS - 1 ? start + 9 * HOUR : start - (100 + nth) * DAY,
    deleted: null,
    capacity: nth === 2 ? { ...CAPACITY, vcpus: 704 } : CAPACITY,
    enabled: nth !== 5 && nth !== 6,
    up: nth !== 5 && nth !== 8,
    place: nth,
  }));
  const change = (nth: number, event: MachineEvent['event'], hours: number, basis: MachineEvent['basis']) => {
    const { host, node, capacity } = machines[nth] ?? machines[0] ?? never();
    const time = start + hours * HOUR;
    const notBefore = basis === 'bounded' ? start - DAY / 2 : null;
    return { host, node, event, time, notBefore, basis, capacity, belongs: time };
  };
  return {
    servers: Array.from({ length: servers }, (_, nth): Server => {
      const isOld = random.chance(0.7);
      const created = Math.floor(
        isOld ? start - random.next() ** 3 * 400 * DAY : start + Math.max(0, busyHour(random.next())) * HOUR,
      );
      const life = Math.ceil(isOld ? random.between(0, 8 * DAY) : random.next() ** 4 * 2 * DAY + 40);
      const gone =
        isOld && random.chance(0.85) ? Infinity : Math.max(created + life, start + (isOld ? life % DAY : 0));
      const flavour = random.pick(FLAVOURS);
      const isLost = random.chance(0.01);
      return {
        uuid: random.uuid(),
        hostname: `web-${nth}`,
        userId: `user-${Math.floor(random.next() ** 2 * 60)}`,
        projectId: `project-${Math.floor(random.next() ** 2 * 25)}`,
        host: isLost ? null : random.pick(hosts),
        node: null,
        memoryMb: flavour.memory_mb,
        rootGb: flavour.root_gb,
        vcpus: flavour.vcpus,
        created,
        launched: isLost ? null : Math.min(created + 20, end - 1),
        deleted: gone < end ? gone : null,
        state: isLost ? 'error' : random.chance(0.01) ? 'shelved_offloaded' : 'active',
        reservationId: null,
        place: placeOf(created),
      };
    }),
    machines,
    changes: [
      change(HOSTS - 1, 'CREATE', 9, 'recorded'),
      change(HOSTS - 1, 'ENABLE', 9, 'assumed'),
      change(5, 'DISABLE', 12, 'recorded'),
      change(2, 'UPDATE', 15, 'bounded'),
    ],
  };
}

/** From a part of the day's arrivals to an hour: few come at night. */
function busyHour(part: number): number {
  const apart = 2 * part - 1;
  return 13 + 10.9 * apart * Math.abs(apart) ** 0.6;
}

function never(): never {
  throw new Error('there is no host');
}
