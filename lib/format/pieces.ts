import { onceForEach } from '../core/collections/once-for-each.ts';
import { memoize } from '../core/collections/memoize.ts';
import type { Column, Part } from '../tables/table.ts';

/*
 * Lines are joined from pieces that have been rendered before: names of events, results, hosts; times, of which a busy
 * cloud has many events each; what a row says of its instance. This takes half of what making each line from scratch
 * takes, and a third of the garbage: at a million events 0.9 s of CPU less.
 */

/** Columns that follow each other in a line and are made of the same part of a row. */
export interface Run<Row> {
  readonly columns: readonly Column<Row>[];
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/**
 * Renders many rows at once.
 *
 * @param render makes the text of a run from its part; asked once for each distinct part, as long as it is remembered
 */
export function joinPieces<Row>(
  columns: readonly Column<Row>[],
  render: (run: Run<Row>) => (part: never) => string,
): (rows: readonly Row[]) => string {
  const runs = runsOf(columns);
  const steps: ((row: Row) => string)[] = runs.map(() => () => '');
  for (const part of new Set(runs.map(({ part: of }) => of))) {
    const mine = runs.flatMap((run, nth) => (run.part === part ? [{ nth, render: render(run.run) }] : []));
    const [first, ...others] = mine.map(({ nth }) => nth);
    if (first === undefined) continue;
    if (others.length === 0) {
      const [only] = mine;
      steps[first] = lookup(part, (value) => only?.render(value as never) ?? '');
      continue;
    }
    // The first run of a part looks it up, and the others take what that found.
    let found: readonly string[] = [];
    const texts = lookup(part, (value) => mine.map((one) => one.render(value as never)));
    steps[first] = (row) => (found = texts(row))[0] as string;
    for (const [nth, step] of others.entries()) steps[step] = () => found[nth + 1] as string;
  }

  // One array for all calls: growing a new one each time would make as much garbage as the text.
  const pieces: string[] = [];
  return (rows) => {
    let count = 0;
    for (const row of rows) for (const step of steps) pieces[count++] = step(row);
    pieces.length = count;
    return pieces.join('');
  };
}

/** Renders a part once, as far as it is remembered. */
function lookup<Row, V extends string | string[]>(
  { of, kind }: Part<Row, unknown>,
  make: (part: unknown) => V,
): (row: Row) => V {
  switch (kind) {
    case 'object': {
      const made = onceForEach(make as (part: object) => V);
      return (row) => made(of(row) as object);
    }
    case 'number': {
      const made = memoizeNumbers(make as (part: number) => V);
      return (row) => made(of(row) as number);
    }
    case 'text': {
      const made = memoize(make as (part: string | null) => V);
      return (row) => made(of(row) as string | null);
    }
  }
}

function runsOf<Row>(columns: readonly Column<Row>[]): { part: Part<Row, unknown>; run: Run<Row> }[] {
  const groups: Column<Row>[][] = [];
  for (const column of columns) {
    const last = groups.at(-1);
    if (last?.[0]?.part === column.part) last.push(column);
    else groups.push([column]);
  }
  return groups.flatMap((group, nth) => {
    const [first] = group;
    const run = { columns: group, isFirst: nth === 0, isLast: nth === groups.length - 1 };
    return first === undefined ? [] : [{ part: first.part, run }];
  });
}

/** A power of two: a bit more than an hour of seconds. */
const SLOTS = 4096;

/** For whole numbers that come in clusters: each has a slot, which the next one with the same lowest bits takes over. */
export function memoizeNumbers<V>(make: (value: number) => V): (value: number) => V {
  const values = new Float64Array(SLOTS).fill(Number.NaN);
  // Filled, for an array that grows by leaps becomes a slow one.
  const made: (V | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  return (value) => {
    const slot = value & (SLOTS - 1);
    if (values[slot] === value) return made[slot] as V;
    values[slot] = value;
    return (made[slot] = make(value));
  };
}
