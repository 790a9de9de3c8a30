import { DAY, HOUR, MINUTE, type Seconds } from '../../../lib/core/time.ts';
import { type Random, seeded } from '../../support/nova/prng.ts';

/** A node of bare metal, from its enrolment to its removal. */
export interface DemoNode {
  readonly uuid: string;
  readonly name: string;
  readonly rack: string;
  readonly kind: NodeKind;
  readonly enrolled: Seconds;
  readonly removed: Seconds;
  /** Out of order, `[from, until)`. */
  readonly maintained: readonly (readonly [Seconds, Seconds])[];
}

export interface NodeKind {
  readonly type: string;
  readonly cpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
}

/** A lease with one reservation of hosts, and when what became of it; `Infinity` for what never did. */
export interface DemoLease {
  readonly id: string;
  readonly reservation: string;
  readonly userId: string;
  readonly projectId: string;
  readonly nodes: readonly DemoNode[];
  readonly created: Seconds;
  /** The plan, to the minute, as it was made. */
  readonly start: Seconds;
  readonly end: Seconds;
  /** When the plan's end was moved to `extendedTo`. */
  readonly extended: Seconds;
  readonly extendedTo: Seconds;
  readonly started: Seconds;
  readonly failed: Seconds;
  readonly ended: Seconds;
  /** By its user, after which Blazar has no row of it. */
  readonly deleted: Seconds;
}

export interface DemoServer {
  readonly id: number;
  readonly uuid: string;
  readonly name: string;
  readonly lease: DemoLease;
  readonly node: DemoNode;
  readonly created: Seconds;
  readonly launched: Seconds;
  readonly deleted: Seconds;
}

/** What Nova did with a server, with the one event that it has. */
export interface DemoAction {
  readonly id: number;
  readonly name: 'create' | 'delete';
  readonly server: DemoServer;
  readonly start: Seconds;
  readonly finish: Seconds;
}

export interface BareMetalHistory {
  readonly nodes: readonly DemoNode[];
  readonly leases: readonly DemoLease[];
  /** In the order of their creation. */
  readonly servers: readonly DemoServer[];
  /** In the order of their start. */
  readonly actions: readonly DemoAction[];
}

const KINDS: readonly NodeKind[] = [
  { type: 'compute_skylake', cpus: 48, memoryMb: 196_608, diskGb: 240 },
  { type: 'gpu_rtx_6000', cpus: 48, memoryMb: 196_608, diskGb: 480 },
  { type: 'storage_nvme', cpus: 40, memoryMb: 131_072, diskGb: 2000 },
];

/** So many nodes in a row are of one kind, and in one rack. */
const IN_RACK = 12;
const RACKS = 4;
const LEASES_A_DAY = 32;
/** Leases are made from then on, so that the first day finds the nodes in use. */
const BEFORE: Seconds = 3 * DAY;

/** The same for the same days: nodes, their leases, and the servers in these. */
export function bareMetalHistory(start: Seconds, days: number): BareMetalHistory {
  const random = seeded(7);
  const nodes = makeNodes(random, start, days);
  const leases = makeLeases(random, nodes, start - BEFORE, start + days * DAY);
  const servers = makeServers(random, leases);
  return { nodes, leases, servers, actions: servers.flatMap(actionsOf).toSorted(byStart).map(numbered) };
}

/** How long Nova takes to delete a server. */
const TEARDOWN: Seconds = MINUTE;

type Unnumbered = Omit<DemoAction, 'id'>;

function actionsOf(server: DemoServer): Unnumbered[] {
  const { created, launched, deleted } = server;
  return [
    { name: 'create', server, start: created, finish: launched },
    { name: 'delete', server, start: deleted - TEARDOWN, finish: deleted },
  ];
}

function byStart(a: Unnumbered, b: Unnumbered): number {
  return a.start - b.start;
}

function numbered<T>(one: T, nth: number): T & { readonly id: number } {
  return { ...one, id: nth + 1 };
}

function makeNodes(random: Random, start: Seconds, days: number): DemoNode[] {
  return Array.from({ length: IN_RACK * RACKS }, (_, nth) => {
    const rack = Math.floor(nth / IN_RACK);
    const [isNew, isOld, isBroken] = [nth === 5, nth === 17, nth % 9 === 4];
    const broken = start + random.between(0.5, days - 1.5) * DAY;
    return {
      uuid: random.uuid(),
      name: `rack${rack + 1}-node${(nth % IN_RACK) + 1}`,
      rack: `hall-2-rack-${rack + 1}`,
      kind: KINDS[rack % KINDS.length] ?? random.pick(KINDS),
      enrolled: isNew ? start + 2.4 * DAY : start - random.whole(30, 400) * DAY,
      removed: isOld ? start + 3.6 * DAY : Infinity,
      maintained: isBroken ? [[Math.floor(broken), Math.floor(broken + random.between(2, 30) * HOUR)]] : [],
    };
  });
}

const LENGTHS: readonly Seconds[] = [2 * HOUR, 4 * HOUR, 8 * HOUR, DAY, DAY, 2 * DAY, 5 * DAY];
const SIZES = [1, 1, 1, 1, 2, 2, 3, 6];

function makeLeases(random: Random, nodes: readonly DemoNode[], start: Seconds, end: Seconds): DemoLease[] {
  const people = Array.from({ length: 24 }, (_, nth) => ({
    userId: random.hex(32),
    projectId: nth % 3 === 0 ? random.hex(32) : '',
  }));
  const leases: DemoLease[] = [];
  const taken = new Map(nodes.map((node): [DemoNode, [Seconds, Seconds][]] => [node, []]));
  for (let at = start; at < end; at += random.between(0, 2) * (DAY / LEASES_A_DAY)) {
    const created = Math.floor(at);
    const owner = random.whole(0, people.length - 1);
    const ahead = random.chance(0.6) ? 0 : random.between(0.5, 40) * HOUR;
    const planned = toMinute(created + ahead);
    const until = toMinute(planned + random.pick(LENGTHS) * random.between(0.8, 1.2));
    const kind = random.pick(KINDS);
    const wanted = random.pick(SIZES);
    const isFree = (node: DemoNode): boolean =>
      node.enrolled < created &&
      node.removed > until &&
      node.maintained.every(([from, to]) => to <= created || from >= until) &&
      taken.get(node)?.every(([from, to]) => to + 5 * MINUTE <= planned || from >= until + 5 * MINUTE) ===
        true;
    const free = nodes.filter((node) => node.kind === kind && isFree(node)).slice(0, wanted);
    // Blazar refuses one for which there are too few hosts, and keeps no row of it.
    if (free.length < wanted) continue;
    leases.push(
      leaseOf(random, {
        id: random.uuid(),
        reservation: random.uuid(),
        userId: people[owner]?.userId ?? '',
        projectId: people[owner - (owner % 3)]?.projectId ?? '',
        nodes: free,
        created,
        start: planned,
        end: until,
      }),
    );
    for (const node of free) taken.get(node)?.push([planned, leases.at(-1)?.extendedTo ?? until]);
  }
  return leases;
}

type Plan = Pick<
  DemoLease,
  'id' | 'reservation' | 'userId' | 'projectId' | 'nodes' | 'created' | 'start' | 'end'
>;

function leaseOf(random: Random, plan: Plan): DemoLease {
  const { created, start, end } = plan;
  // Events are looked at every ten seconds, and take a while.
  const begun = Math.max(created, start) + random.whole(12, 26);
  const fails = random.chance(0.04);
  const cancelled = random.chance(0.12) ? Math.floor(random.between(created + MINUTE, end)) : Infinity;
  const isExtended = !fails && cancelled === Infinity && random.chance(0.1);
  // Only to where nobody can have reserved its nodes yet: its last hour is what it gets less at first.
  const last = isExtended ? end - Math.floor((end - start) / 5) : end;
  const ended = fails || cancelled < end ? Infinity : end + random.whole(11, 16);
  return {
    ...plan,
    end: toMinute(last),
    extended: isExtended ? toMinute(begun + (last - begun) / 2) + 7 : Infinity,
    extendedTo: end,
    started: fails || cancelled < begun ? Infinity : begun,
    failed: fails && cancelled > begun ? begun : Infinity,
    ended,
    deleted: cancelled,
  };
}

function makeServers(random: Random, leases: readonly DemoLease[]): DemoServer[] {
  const servers = leases.flatMap((lease) => {
    const { started, extendedTo, deleted, nodes } = lease;
    const last = Math.min(extendedTo, deleted);
    return nodes.flatMap((node) => {
      const made: Omit<DemoServer, 'id' | 'name'>[] = [];
      for (let at = started + random.between(1, 30) * MINUTE; at < last - HOUR;) {
        const created = Math.floor(at);
        // Now and then somebody begins again from an image.
        const given = random.chance(0.2) ? random.between(0.5, 6) * HOUR : Infinity;
        const gone = Math.floor(Math.min(created + 20 * MINUTE + given, last + 5));
        made.push({
          uuid: random.uuid(),
          lease,
          node,
          created,
          launched: created + random.whole(300, 900),
          deleted: gone,
        });
        at = gone + 20 * MINUTE;
      }
      return made;
    });
  });
  return servers
    .toSorted((a, b) => a.created - b.created)
    .map((server, nth) => numbered({ ...server, name: `experiment-${nth + 1}` }, nth));
}

function toMinute(time: number): Seconds {
  return Math.floor(time / MINUTE) * MINUTE;
}
