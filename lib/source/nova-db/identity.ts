import { DISORDER, type IdSpan, lastIdBefore } from './bounds.ts';
import type { Seconds } from '../../core/time.ts';
import { CREATED, type EventRow, FINISH, IDS_PER_STATEMENT, START } from './event-rows.ts';
import type { CellSchema } from './schema.ts';
import type { CellSession, Row } from './session.ts';
import type { CellState, Sample } from './state.ts';
import { inGroups } from '../../core/collections/in-groups.ts';

/*
 * An id is not a row's identity. A database that was restored from a backup gives ids again, and so do MySQL 5.7 and
 * MariaDB before 10.2.4 after a restart, when the newest rows were archived. What tells rows apart is when they were
 * inserted: a row that is accounted for was inserted, or finished, before the last window's end; one that got its id
 * later was inserted after the snapshot in which the first was seen.
 */

/** Whether a row is too young to be the one that was accounted for under its id. `lastEnd`: end of the last window. */
export function isYoungerThan(
  lastEnd: Seconds,
  { created, finish }: Pick<EventRow, 'created' | 'finish'>,
): boolean {
  return created >= lastEnd && (finish === null || finish >= lastEnd);
}

/** Rows looked at below the first id that is not accounted for. */
const NEWEST = 64;

/**
 * Whether ids that are accounted for have been given again, and from which on.
 *
 * @returns undefined where they have not
 */
export async function findReusedIds(
  session: CellSession,
  schema: CellSchema,
  state: CellState,
  lastEnd: Seconds,
): Promise<number | undefined> {
  const accountedTo = Math.max(state.nextEventId, state.seenIds.end);
  const isReused =
    (await hasOtherRow(session, schema, state.samples)) ||
    (await hasYoungRow(session, schema, state, accountedTo, lastEnd));
  if (!isReused) return undefined;
  const within: IdSpan = { from: 0, to: accountedTo };
  return lastIdBefore(session.query, schema, lastEnd - DISORDER, within);
}

/** Whether one of the remembered rows is another row now. One that is gone proves nothing: it may be purged. */
async function hasOtherRow(
  { query }: CellSession,
  schema: CellSchema,
  samples: readonly Sample[],
): Promise<boolean> {
  const known = new Map(samples.map((sample) => [sample.id, sample]));
  for (const some of inGroups([...known.keys()], IDS_PER_STATEMENT)) {
    for (const { events } of schema.tables) {
      const rows = await query(
        `SELECT e.id, ${START}, ${CREATED}, e.action_id FROM ${events} e WHERE e.id IN (?)`,
        [some],
      );
      if (rows.some((row) => !isSame(row, known.get(Number(row[0]))))) return true;
    }
  }
  return false;
}

function isSame([, start, created, actionId]: Row, sample: Sample | undefined): boolean {
  return sample?.start === start && sample?.created === created && sample?.actionId === actionId;
}

/** Whether the newest ids that are accounted for hold a row that cannot have been. */
async function hasYoungRow(
  { query }: CellSession,
  schema: CellSchema,
  { nextEventId, seenIds, open }: CellState,
  accountedTo: number,
  lastEnd: Seconds,
): Promise<boolean> {
  for (const { events } of schema.tables) {
    const rows = await query(
      `SELECT e.id, ${START}, ${CREATED}, ${FINISH} FROM ${events} e WHERE e.id < ? ORDER BY e.id DESC LIMIT ${NEWEST}`,
      [accountedTo],
    );
    for (const [nth, start, created, finish] of rows) {
      const id = Number(nth);
      const isAccounted = id < nextEventId || seenIds.has(id);
      if (!isAccounted || open.get(id) === (start ?? created)) continue;
      if (isYoungerThan(lastEnd, { created: Number(created), finish: finish as Seconds | null })) return true;
    }
  }
  return false;
}

/** How many rows are remembered of a window, and how many of the newest of them. */
const SPREAD = 32;
const TOP = 8;

/** Picks rows spread over all rows of a window, and the newest. */
export interface Sampler {
  /** @param rows in order of id */
  add(rows: readonly EventRow[]): void;
  /** If few rows came, those of the last window are kept too. */
  samples(before: readonly Sample[]): Sample[];
}

/**
 * Looks at one row of many, and makes samples at the end: a look at every row would take 0.15 s of CPU for a million.
 *
 * @param end of the window; rows inserted later are not accounted for
 */
export function openSampler(end: Seconds): Sampler {
  let stride = 1;
  /** Index of the next sample in the rows to come. */
  let next = 0;
  let spread: EventRow[] = [];
  let top: EventRow[] = [];
  // The expression for a row with a clock far ahead gives another value once that time has come.
  const isSteady = ({ start, created }: EventRow): boolean =>
    created < end && start !== null && Math.abs(start - created) <= DISORDER;
  return {
    add(rows) {
      for (; next < rows.length; next += stride) {
        const row = rows[next] as EventRow;
        if (isSteady(row)) spread.push(row);
        if (spread.length <= 2 * SPREAD) continue;
        spread = spread.filter((_, nth) => nth % 2 === 0);
        stride *= 2;
      }
      next -= rows.length;
      const newest: EventRow[] = [];
      for (let nth = rows.length - 1; nth >= 0 && newest.length < TOP; nth--) {
        const row = rows[nth] as EventRow;
        if (isSteady(row)) newest.push(row);
      }
      top = [...top, ...newest].toSorted((a, b) => b.id - a.id).slice(0, TOP);
    },
    samples(before) {
      const fresh = [...spread, ...top].map(({ id, start, created, actionId }) => ({
        id,
        start: start as Seconds,
        created,
        actionId,
      }));
      const all = new Map([...(spread.length < SPREAD ? before : []), ...fresh].map((one) => [one.id, one]));
      return [...all.values()].toSorted((a, b) => a.id - b.id).slice(-(2 * SPREAD + TOP));
    },
  };
}
