import { DAY, type Seconds } from '../../time.ts';
import { inGroups, unixSeconds } from './event-rows.ts';
import { type IdRange, LAST_ID, mergeIds, withoutIds } from './id-ranges.ts';
import { LIVE, SHADOW } from './schema.ts';
import type { CellSession } from './session.ts';
import type { UnarchivedIds } from './state.ts';

/*
 * `shadow_instances` has no index but its primary key, and an action names its instance by uuid. Scanning the
 * table would cost the whole history every day. But ids are kept when rows are archived, so what was archived
 * since the last look has ids that were not in the shadow table then. Those ids are remembered, as ranges, and
 * only they are looked at: the cost follows what was archived since, not what ever was. An instance that is
 * archived may still have events in windows to come (caught up, or in the hour between a window's end and its
 * extraction), so its id is retired only when it was deleted long before the window.
 */

/** Two live ids with fewer archived ones between them make one range: reading a few rows beats another lookup. */
const GAP = 16;
/** A range up to this long is read together with others in one statement. */
const SHORT = 64;
const RANGES_PER_STATEMENT = 200;
const ROWS_PER_PAGE = 10_000;

/** What a cell without memory starts from: any id may have been archived, and is looked at once. */
export const NOTHING_KNOWN: UnarchivedIds = { ranges: [[0, LAST_ID]], madeWith: 0 };

/** Ids of archived instances by uuid, for those wanted, and where the next look is to go. */
export interface ArchivedLookup {
  readonly ids: ReadonlyMap<string, number>;
  readonly unarchived: UnarchivedIds;
}

/** A deleted instance records nothing more, but for what was already queued. */
const QUEUED = DAY;

/**
 * Finds the archived ones among the instances wanted, and narrows down where the next look has to go.
 *
 * @param windowStart of the window being read; later windows will come
 */
export async function findArchived(
  session: CellSession,
  unarchived: UnarchivedIds,
  wanted: ReadonlySet<string>,
  windowStart: Seconds,
): Promise<ArchivedLookup> {
  const columns = `id, uuid, ${unixSeconds('COALESCE(deleted_at, updated_at, created_at)')}`;
  const ids = new Map<string, number>();
  const retired: number[] = [];
  const kept: number[] = [];
  const note = (rows: readonly unknown[][]): void => {
    for (const [id, uuid, deleted] of rows) {
      (Number(deleted) < windowStart - QUEUED ? retired : kept).push(id as number);
      if (wanted.has(uuid as string)) ids.set(uuid as string, id as number);
    }
  };
  const isShort = ([first, last]: IdRange): boolean => last - first < SHORT;
  for (const group of inGroups(unarchived.ranges.filter(isShort), RANGES_PER_STATEMENT)) {
    const where = group.map(() => 'id BETWEEN ? AND ?').join(' OR ');
    note(await session.query(`SELECT ${columns} FROM ${SHADOW.instances} WHERE ${where}`, group.flat()));
  }
  for (const [first, last] of unarchived.ranges.filter((range) => !isShort(range))) {
    for (let from = first; from <= last;) {
      const page = await session.query(
        `SELECT ${columns} FROM ${SHADOW.instances} WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ${ROWS_PER_PAGE}`,
        [from, last],
      );
      note(page);
      if (page.length < ROWS_PER_PAGE) break;
      from = Number(page.at(-1)?.[0]) + 1;
    }
  }
  return { ids, unarchived: await narrow(session, unarchived, retired, kept) };
}

/** Takes out what is retired. Splitting leaves crumbs, so once there are too many the ranges are made anew. */
async function narrow(
  session: CellSession,
  known: UnarchivedIds,
  retired: readonly number[],
  kept: readonly number[],
): Promise<UnarchivedIds> {
  const ranges = withoutIds(known.ranges, retired);
  if (known.madeWith > 0 && ranges.length <= 2 * known.madeWith + 1000) return { ...known, ranges };

  const live = (await session.query(`SELECT id FROM ${LIVE.instances}`)).map(([id]) => id as number);
  const newest = await session.query(
    `SELECT GREATEST(COALESCE((SELECT MAX(id) FROM ${LIVE.instances}), 0),` +
      ` COALESCE((SELECT MAX(id) FROM ${SHADOW.instances}), 0))`,
  );
  const yetToCome: IdRange = [Number(newest[0]?.[0]) + 1, LAST_ID];
  const made = [...mergeIds([...live, ...kept], GAP), yetToCome];
  return { ranges: made, madeWith: made.length };
}
