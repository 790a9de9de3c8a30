import * as z from 'zod/mini';
import type { Seconds } from '../../core/time.ts';
import type { LeasePlan } from '../../tables/leases/row.ts';
import type { SourceState } from '../source.ts';
import { readStored } from '../stored-state.ts';

/** What is known of a lease from one read to the next: no name but a sealed one. */
export interface KnownLease extends LeasePlan {
  readonly created: Seconds | null;
  readonly started: Seconds | null;
  readonly ended: Seconds | null;
  readonly failed: boolean;
  readonly degraded: boolean;
  readonly deleted: boolean;
  /** Changes are later than that, for something was left to the next window; null: later than the last read. */
  readonly since: Seconds | null;
  /** When the user asked for its deletion. */
  readonly deleting: Seconds | null;
  readonly nodeCount: number | null;
  /** Salted hash of all hosts; null once it has ended. */
  readonly hosts: string | null;
  /** Its names, for the day when nobody else can tell them; null without a `stateKey`. */
  readonly sealed: string | null;
}

/** Leases as a window left them. */
export interface LeasesState {
  readonly salt: string;
  /** When they were read. */
  readonly at: Seconds;
  /** End of the window: later changes are not in it. */
  readonly until: Seconds;
  /** By salted hash of their id. */
  readonly leases: ReadonlyMap<string, KnownLease>;
}

const optional = z.nullable(z.int());
const text = z.nullable(z.string());

const Stored = z.strictObject({
  salt: z.string(),
  at: z.int(),
  until: z.int(),
  leases: z.record(
    z.string(),
    z.tuple([
      z.int(),
      z.int(),
      z.int(),
      optional,
      optional,
      optional,
      optional,
      optional,
      optional,
      text,
      text,
    ]),
  ),
});

const FLAGS = ['failed', 'degraded', 'deleted'] as const;

/** Plain JSON, one short list a lease. */
export function storeLeases({ salt, at, until, leases }: LeasesState): SourceState {
  const lists = [...leases].map(([key, known]) => [
    key,
    [
      FLAGS.reduce((sum, flag, nth) => sum + (known[flag] ? 2 ** nth : 0), 0),
      known.start,
      known.end,
      known.created,
      known.started,
      known.ended,
      known.deleting,
      known.since,
      known.nodeCount,
      known.hosts,
      known.sealed,
    ],
  ]);
  return { salt, at, until, leases: Object.fromEntries(lists) };
}

/** @throws StoreError where the checkpoint holds something else */
export function restoreLeases(state: SourceState): LeasesState {
  const stored = readStored(Stored, state, 'lease_events', 'not what a source of leases wrote');
  const { leases, ...rest } = stored;
  return {
    ...rest,
    leases: new Map(
      Object.entries(leases).map(([key, list]) => {
        const [flags, start, end, created, started, ended, deleting, since, nodeCount, ...names] = list;
        const [hosts, sealed] = names;
        const isSet = (flag: (typeof FLAGS)[number]): boolean => (flags & (2 ** FLAGS.indexOf(flag))) !== 0;
        const known: KnownLease = {
          start,
          end,
          created,
          started,
          ended,
          failed: isSet('failed'),
          degraded: isSet('degraded'),
          deleted: isSet('deleted'),
          deleting,
          since,
          nodeCount,
          hosts,
          sealed,
        };
        return [key, known];
      }),
    ),
  };
}
