import type { RowTally } from '../privacy/identities.ts';
import type { Slots } from './slots.ts';

/** Rows of events by the host where they ran. */
export interface HostTally extends RowTally {
  errors: number;
  /** Rows that finished before the window. */
  late: number;
  /** By slot of the window, the rows that finished in it. */
  readonly slots: Uint32Array;
}

export interface HostTallies {
  /** Undefined for no host. */
  of(mask: string | null): HostTally | undefined;
  readonly all: ReadonlyMap<string, HostTally>;
}

/** Takes 4 bytes a slot for each distinct host. */
export function tallyHosts(slots: Slots): HostTallies {
  const all = new Map<string, HostTally>();
  return {
    all,
    of(mask) {
      if (mask === null || mask === '') return undefined;
      let tally = all.get(mask);
      if (tally === undefined)
        all.set(mask, (tally = { rows: 0, errors: 0, late: 0, slots: new Uint32Array(slots.count) }));
      return tally;
    },
  };
}

/** One host, as charts and tables tell it. */
export interface HostStatistics {
  readonly mask: string;
  readonly rows: number;
  readonly errors: number;
  readonly late: number;
  readonly slots: readonly number[];
}

const BUSIEST = 20;
const FAILING = 10;

/** The busiest hosts, and those on which most failed, each in order; equal ones in order of mask. */
export function hostLists({ all }: HostTallies): {
  readonly busiest: readonly HostStatistics[];
  readonly failing: readonly HostStatistics[];
} {
  const hosts = [...all].map(([mask, tally]): HostStatistics => ({ mask, ...tally, slots: [] }));
  const listed = (by: (host: HostStatistics) => number, most: number): HostStatistics[] =>
    hosts
      .filter((host) => by(host) > 0)
      .toSorted((a, b) => by(b) - by(a) || (a.mask < b.mask ? -1 : 1))
      .slice(0, most)
      .map((host) => ({ ...host, slots: [...(all.get(host.mask)?.slots ?? [])] }));
  return { busiest: listed(({ rows }) => rows, BUSIEST), failing: listed(({ errors }) => errors, FAILING) };
}
