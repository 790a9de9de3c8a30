import type { Basis } from '../tables/told.ts';

/** Rows of a table of changes that tell the same, and know their time in the same way. */
export interface Change {
  readonly event: string;
  readonly basis: Basis;
  readonly rows: number;
}

const BASES: readonly Basis[] = ['recorded', 'bounded', 'assumed', 'opening'];

/** @param events in the order in which they are listed */
export function tallyChanges<Event extends string>(
  events: readonly Event[],
): { add(event: Event, basis: Basis): void; list(): Change[] } {
  const tally = new Map<string, number>();
  const keyOf = (event: Event, basis: Basis): string => `${event} ${basis}`;
  return {
    add: (event, basis) => void tally.set(keyOf(event, basis), (tally.get(keyOf(event, basis)) ?? 0) + 1),
    list: () =>
      events.flatMap((event) =>
        BASES.flatMap((basis) => {
          const rows = tally.get(keyOf(event, basis)) ?? 0;
          return rows === 0 ? [] : [{ event, basis, rows }];
        }),
      ),
  };
}
