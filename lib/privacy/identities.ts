import { fingerprint } from '../core/collections/fingerprint.ts';
import { numberSet } from '../core/collections/number-set.ts';
import { spilledNumbers } from '../core/collections/spilled-numbers.ts';
import type { MaskedInstance } from '../tables/instance-events/row.ts';
import { onceForEach } from '../core/collections/once-for-each.ts';

/** Rows counted for one value, such as a project. */
export interface RowTally {
  rows: number;
}

/** A flavour is known by its sizes: rows do not name it. */
export interface FlavourTally extends RowTally {
  /** From 0 on. */
  readonly id: number;
  readonly memoryMb: number | null;
  readonly rootGb: number | null;
  readonly vcpus: number | null;
  /** Distinct; about, in a drop with more than {@link SEEN} servers. */
  instances: number;
  /** The number of its first user. */
  readonly owner: number;
  /** Whether it has another user, too. */
  shared: boolean;
}

/** Servers that are told apart per flavour: at most 4 MiB. */
const SEEN = 2 ** 18;

/** The user of all rows that name none. Their real number is unknown, so they count as one user, the fewest. */
const NOBODY = 1;

/** What rows have in common because they are of one instance. */
export interface Owner {
  /** Small whole number, `NOBODY` for none. */
  readonly user: number;
  readonly project: RowTally | undefined;
  readonly flavour: FlavourTally;
}

export interface Identities extends Disposable {
  readonly ownerOf: (instance: MaskedInstance) => Owner;
  readonly projects: Tallies;
  readonly flavours: ReadonlyMap<string, FlavourTally>;
  /** Distinct. */
  readonly users: number;
  instances(): number;
}

/**
 * Numbers users, projects and flavours in order of appearance. This costs once per instance, not per row. An instance
 * counts for the flavour that it has when it first appears.
 */
export function identify(): Identities {
  const users = numberUsers();
  const projects = tallies();
  const flavours = new Map<string, FlavourTally>();
  const instances = spilledNumbers();
  let seen = numberSet();

  const flavourOf = (instance: MaskedInstance, user: number): FlavourTally => {
    const { memoryMb, rootGb, vcpus } = instance;
    const key = flavourKey(instance);
    let flavour = flavours.get(key);
    if (flavour === undefined) {
      const id = flavours.size;
      flavour = { id, memoryMb, rootGb, vcpus, rows: 0, instances: 0, owner: user, shared: false };
      flavours.set(key, flavour);
    }
    if (flavour.owner !== user) flavour.shared = true;
    return flavour;
  };
  const ownerOf = onceForEach((instance: MaskedInstance): Owner => {
    const user = users.number(instance.userId);
    const flavour = flavourOf(instance, user);
    // The same instance may come in several objects.
    const number = fingerprint(instance.uuid);
    instances.add(number);
    if (seen.size >= SEEN) seen = numberSet();
    const before = seen.size;
    seen.add(number);
    flavour.instances += seen.size - before;
    return { user, flavour, project: projects.of(instance.projectId) };
  });
  return {
    ownerOf,
    projects,
    flavours,
    get users() {
      return users.count;
    },
    instances: () => instances.count(),
    [Symbol.dispose]: () => instances[Symbol.dispose](),
  };
}

/** Small whole numbers for users, in order of appearance; {@link NOBODY} for none. */
export interface UserNumbers {
  number(mask: string | null): number;
  /** Distinct ones, nobody not counted. */
  readonly count: number;
}

export function numberUsers(): UserNumbers {
  const users = new Map<string, number>();
  return {
    number(mask) {
      if (mask === null || mask === '') return NOBODY;
      let user = users.get(mask);
      if (user === undefined) users.set(mask, (user = NOBODY + 1 + users.size));
      return user;
    },
    get count() {
      return users.size;
    },
  };
}

/** A flavour is known by its sizes. */
export function flavourKey({
  memoryMb,
  rootGb,
  vcpus,
}: Pick<MaskedInstance, 'memoryMb' | 'rootGb' | 'vcpus'>): string {
  return `${memoryMb} ${rootGb} ${vcpus}`;
}

/** Tallies by mask; null and empty are no value and have none. */
export interface Tallies {
  of(mask: string | null): RowTally | undefined;
  readonly all: ReadonlyMap<string, RowTally>;
}

export function tallies(): Tallies {
  const all = new Map<string, RowTally>();
  return {
    all,
    of(mask) {
      if (mask === null || mask === '') return undefined;
      let tally = all.get(mask);
      if (tally === undefined) all.set(mask, (tally = { rows: 0 }));
      return tally;
    },
  };
}
