import * as z from 'zod/mini';
import type { Seconds } from '../../core/time.ts';
import type { Capacity } from '../../tables/machines/row.ts';
import type { SourceState } from '../source.ts';
import { readStored } from '../stored-state.ts';

/** What is known of a machine from one read to the next: no name but a sealed one. */
export interface KnownMachine {
  readonly deleted: boolean;
  /** Changes that were recorded after the window are left to the next one: this is older than the last read. */
  readonly held: boolean;
  readonly created: Seconds | null;
  readonly capacity: Capacity;
  readonly alike: string | null;
  readonly enabled: boolean | null;
  readonly disabledAt: Seconds | null;
  /** Salted hash. */
  readonly slot: string | null;
  /** Its name, for the day when nobody else can tell it; null without a `stateKey`. */
  readonly sealed: string | null;
}

/** Machines as a window left them. */
export interface MachinesState {
  readonly salt: string;
  /** When they were read. */
  readonly at: Seconds;
  /** End of the window: later changes are not in it. */
  readonly until: Seconds;
  readonly parts: readonly string[];
  /** By salted hash of their key. */
  readonly machines: ReadonlyMap<string, KnownMachine>;
}

const optional = z.nullable(z.int());
const text = z.nullable(z.string());

const Stored = z.strictObject({
  salt: z.string(),
  at: z.int(),
  until: z.int(),
  parts: z.array(z.string()),
  machines: z.record(
    z.string(),
    z.tuple([z.int(), optional, optional, optional, optional, text, text, optional, optional, text, text]),
  ),
});

/** Plain JSON, one short list a machine. */
export function storeMachines({ salt, at, until, parts, machines }: MachinesState): SourceState {
  const lists = [...machines].map(([key, known]) => [
    key,
    [
      Number(known.deleted) + 2 * Number(known.held),
      known.created,
      known.capacity.vcpus,
      known.capacity.memoryMb,
      known.capacity.diskGb,
      known.capacity.properties ?? null,
      known.alike,
      known.enabled === null ? null : Number(known.enabled),
      known.disabledAt,
      known.slot,
      known.sealed,
    ],
  ]);
  return { salt, at, until, parts, machines: Object.fromEntries(lists) };
}

/** @throws StoreError where the checkpoint holds something else */
export function restoreMachines(state: SourceState): MachinesState {
  const stored = readStored(Stored, state, 'machine_events', 'not what a source of machines wrote');
  const { machines, ...rest } = stored;
  return {
    ...rest,
    machines: new Map(
      Object.entries(machines).map(([key, list]) => {
        const [flags, created, vcpus, memoryMb, diskGb, properties, ...more] = list;
        const [alike, enabled, disabledAt, slot, sealed] = more;
        const known: KnownMachine = {
          deleted: flags % 2 === 1,
          held: flags >= 2,
          created,
          capacity: { vcpus, memoryMb, diskGb, ...(properties === null ? {} : { properties }) },
          alike,
          enabled: enabled === null ? null : enabled === 1,
          disabledAt,
          slot,
          sealed,
        };
        return [key, known];
      }),
    ),
  };
}
