import { inGroups } from '../../core/collections/in-groups.ts';
import { DAY, type Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import type { Extent, IdSpan } from './bounds.ts';
import type { Filter } from './chunk-plan.ts';
import { IDS_PER_STATEMENT, unixSeconds } from './event-rows.ts';
import { type IdRange, LAST_ID, mergeIds, mergeRanges, rangesBelow, rangesBetween } from './id-ranges.ts';
import { type CellSchema, LIVE, SHADOW, type Tables } from './schema.ts';
import type { CellSession, Row } from './session.ts';

/*
 * `shadow_instances` has no index but its primary key, and an action names its instance by uuid. Scanning the
 * table would cost the whole history every day. But ids are kept when rows are archived, so what was archived
 * since the last look has ids that were not in the shadow table then. Those ids are remembered, as ranges, and
 * only they are looked at, newest first, until all that is wanted is found: most servers that are archived before
 * their day is extracted did not live long. The cost follows what was archived since, not what ever was.
 */

/** Two live ids with fewer archived ones between them make one range: reading a few rows beats another lookup. */
const GAP = 16;
/** A range up to this long is read together with others in one statement. */
const SHORT = 64;
const RANGES_PER_STATEMENT = 200;
const ROWS_PER_PAGE = 2000;
/** Ids below the highest seen that may belong to rows not committed yet. */
const IN_FLIGHT = 1000;

/**
 * A deleted instance records nothing more, but for what was already queued. Until then its id is looked at again:
 * it may have events in windows that are caught up later, or in the hour between a window's end and its extraction.
 */
const QUEUED = DAY;

/** Where the first look goes: any id may be archived. */
const ALL_IDS: readonly IdRange[] = [[0, LAST_ID]];

export interface ArchivedLookup {
  /** Ids in the shadow table, by uuid. */
  readonly ids: ReadonlyMap<string, number>;
  /** Where the next look has to go. */
  readonly unarchived: readonly IdRange[];
}

/** Uuids of the instances whose archived events of the span have finished. */
export async function archivedUuids(
  session: CellSession,
  span: IdSpan,
  filter: Filter,
): Promise<(string | null)[]> {
  const rows = await session.query(
    `SELECT DISTINCT a.instance_uuid FROM ${SHADOW.events} e JOIN ${SHADOW.actions} a ON a.id = e.action_id ` +
      `WHERE e.id >= ? AND e.id < ? AND e.finish_time IS NOT NULL AND ${filter.where}`,
    [span.from, span.to, ...filter.parameters],
  );
  return rows.map(([uuid]) => uuid as string | null);
}

/**
 * Finds the archived ones among the instances, by what the cell remembers.
 *
 * @param known where the previous look continues; undefined where there was none
 */
export async function lookUpArchived(
  session: CellSession,
  schema: CellSchema,
  known: readonly IdRange[] | undefined,
  extent: Extent,
  window: Window,
  uuids: readonly (string | null)[],
): Promise<ArchivedLookup> {
  const unarchived = known ?? ALL_IDS;
  if (!schema.tables.includes(SHADOW)) return { ids: new Map(), unarchived };
  const wanted = new Set(uuids.filter((uuid) => uuid !== null));
  // In a backlog, windows to come may have events of any of them.
  const isBacklog = window.end < (extent.newestCreated ?? 0) - QUEUED;
  const retireBefore = isBacklog ? -Infinity : window.start - QUEUED;
  return findArchived(session, unarchived, wanted, retireBefore, { everywhere: known === undefined });
}

/**
 * Finds the archived ones among the instances wanted.
 *
 * @param unarchived where the previous look continues
 * @param retireBefore ids of instances deleted before then are not looked at again
 * @param options.everywhere looks at all ranges, to learn once where later looks need not go
 */
async function findArchived(
  session: CellSession,
  unarchived: readonly IdRange[],
  wanted: ReadonlySet<string>,
  retireBefore: Seconds,
  { everywhere }: { everywhere: boolean },
): Promise<ArchivedLookup> {
  const missing = await withoutLive(session, wanted);
  const ids = new Map<string, number>();
  const mayRecordMore: number[] = [];
  let lookedFrom = LAST_ID + 1;
  if (missing.size > 0 || everywhere) {
    for await (const { rows, from } of newestFirst(session, unarchived)) {
      lookedFrom = from;
      for (const [id, uuid, deleted] of rows) {
        if (Number(deleted) >= retireBefore) mayRecordMore.push(id as number);
        if (missing.delete(uuid as string)) ids.set(uuid as string, id as number);
      }
      if (missing.size === 0 && !everywhere) break;
    }
  }
  await findAnywhere(session, unarchived, missing, ids);
  if (lookedFrom > LAST_ID) return { ids, unarchived };
  const made = await unarchivedFrom(session, lookedFrom, mayRecordMore);
  return { ids, unarchived: [...rangesBelow(unarchived, lookedFrom), ...made] };
}

/**
 * Looks where no look needs to go, for what is still missing: a server that was un-archived and is archived again, an
 * event that was recorded long after its server was deleted. This is rare, and costs up to the whole table.
 */
async function findAnywhere(
  session: CellSession,
  looked: readonly IdRange[],
  missing: Set<string>,
  ids: Map<string, number>,
): Promise<void> {
  if (missing.size === 0) return;
  for await (const { rows } of newestFirst(session, rangesBetween(looked))) {
    for (const [id, uuid] of rows) if (missing.delete(uuid as string)) ids.set(uuid as string, id as number);
    if (missing.size === 0) return;
  }
}

/** Novas before Newton archived table by table, so an archived event's instance may still be live. */
async function withoutLive(session: CellSession, wanted: ReadonlySet<string>): Promise<Set<string>> {
  const missing = new Set(wanted);
  for (const some of inGroups([...wanted], IDS_PER_STATEMENT)) {
    const live = await session.query(`SELECT uuid FROM ${LIVE.instances} WHERE uuid IN (?)`, [some]);
    for (const [uuid] of live) missing.delete(uuid as string);
  }
  return missing;
}

/** Archived instances in the given ranges, from the highest id down; `from` is the lowest id looked at so far. */
async function* newestFirst(
  session: CellSession,
  ranges: readonly IdRange[],
): AsyncGenerator<{ rows: Row[]; from: number }> {
  const select =
    `SELECT id, uuid, ${unixSeconds('COALESCE(deleted_at, updated_at, created_at)')} ` +
    `FROM ${SHADOW.instances} WHERE`;
  let short: IdRange[] = [];
  for (const range of [...ranges.toReversed(), undefined]) {
    const isShort = range !== undefined && range[1] - range[0] < SHORT;
    if (isShort) short.push(range);
    if (short.length > 0 && (!isShort || short.length === RANGES_PER_STATEMENT)) {
      const where = short.map(() => 'id BETWEEN ? AND ?').join(' OR ');
      yield { rows: await session.query(`${select} ${where}`, short.flat()), from: short.at(-1)?.[0] ?? 0 };
      short = [];
    }
    if (range === undefined || isShort) continue;
    const [first, last] = range;
    for (let to = last; to >= first;) {
      const page = `${select} id BETWEEN ? AND ? ORDER BY id DESC LIMIT ${ROWS_PER_PAGE}`;
      const rows = await session.query(page, [first, to]);
      const from = rows.length < ROWS_PER_PAGE ? first : Number(rows.at(-1)?.[0]);
      yield { rows, from };
      to = from - 1;
    }
  }
}

/**
 * The ids from `from` on that are live now, and those given; and all that are yet to come. Ids become ranges page by page:
 * a window of twenty million events has two and a half million of them.
 */
async function unarchivedFrom(
  session: CellSession,
  from: number,
  others: readonly number[],
): Promise<IdRange[]> {
  const highest = Math.max(await highestId(session, LIVE), await highestId(session, SHADOW), from - 1);
  const yetToCome = Math.max(from, highest + 1 - IN_FLIGHT);
  const ranges = mergeIds(
    others.filter((id) => id < yetToCome),
    GAP,
  );
  for (let next = from; ;) {
    const rows = await session.query(
      `SELECT id FROM ${LIVE.instances} WHERE id >= ? AND id < ? ORDER BY id LIMIT ${ROWS_PER_PAGE}`,
      [next, yetToCome],
    );
    const ids = rows.map(([id]) => id as number);
    ranges.push(...mergeIds(ids, GAP));
    if (rows.length < ROWS_PER_PAGE) break;
    next = Number(ids.at(-1)) + 1;
  }
  return [...mergeRanges(ranges, GAP), [yetToCome, LAST_ID]];
}

async function highestId({ query }: CellSession, { instances }: Tables): Promise<number> {
  const [row] = await query(`SELECT COALESCE(MAX(id), 0) FROM ${instances}`);
  return Number(row?.[0]);
}
