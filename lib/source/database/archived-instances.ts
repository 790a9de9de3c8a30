import type { CellSession } from './session.ts';
import { inGroups } from './event-rows.ts';
import { type IdRange, LAST_ID, mergeIds, withoutIds } from './id-ranges.ts';
import { LIVE, SHADOW } from './schema.ts';
import type { UnarchivedIds } from './state.ts';

/*
 * `shadow_instances` has no index but its primary key, and an action names its instance by uuid. Scanning the
 * table would cost the whole history every day. But ids are kept when rows are archived, so what was archived
 * since the last look has ids that were not in the shadow table then. Those ids are remembered, as ranges, and
 * only they are looked at: the cost follows what was archived since, not what ever was.
 */

/** Two live ids with fewer archived ones between them make one range: reading a few rows beats another lookup. */
const GAP = 16;
/** A range up to this long is read together with others in one statement. */
const SHORT = 64;
const RANGES_PER_STATEMENT = 200;
const ROWS_PER_PAGE = 10_000;

/** What a cell without memory starts from: any id may have been archived. */
export const NOTHING_KNOWN: UnarchivedIds = { ranges: [[0, LAST_ID]], madeWith: 0 };

/** Ids of archived instances by uuid, for those wanted, and where the next look is to go. */
export interface ArchivedLookup {
  readonly ids: ReadonlyMap<string, number>;
  readonly unarchived: UnarchivedIds;
}

export async function findArchived(
  session: CellSession,
  unarchived: UnarchivedIds,
  wanted: ReadonlySet<string>,
): Promise<ArchivedLookup> {
  const ids = new Map<string, number>();
  const archivedSince: number[] = [];
  const note = (rows: readonly unknown[][]): void => {
    for (const [id, uuid] of rows) {
      archivedSince.push(id as number);
      if (wanted.has(uuid as string)) ids.set(uuid as string, id as number);
    }
  };
  const isShort = ([first, last]: IdRange): boolean => last - first < SHORT;
  for (const group of inGroups(unarchived.ranges.filter(isShort), RANGES_PER_STATEMENT)) {
    const where = group.map(() => 'id BETWEEN ? AND ?').join(' OR ');
    note(await session.query(`SELECT id, uuid FROM ${SHADOW.instances} WHERE ${where}`, group.flat()));
  }
  for (const [first, last] of unarchived.ranges.filter((range) => !isShort(range))) {
    for (let from = first; from <= last;) {
      const page = await session.query(
        `SELECT id, uuid FROM ${SHADOW.instances} WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ${ROWS_PER_PAGE}`,
        [from, last],
      );
      note(page);
      if (page.length < ROWS_PER_PAGE) break;
      from = Number(page.at(-1)?.[0]) + 1;
    }
  }
  return { ids, unarchived: await narrow(session, unarchived, archivedSince) };
}

/** Takes out what is archived now. Splitting leaves crumbs, so once there are too many the ranges are made anew. */
async function narrow(
  session: CellSession,
  known: UnarchivedIds,
  archived: number[],
): Promise<UnarchivedIds> {
  const ranges = withoutIds(known.ranges, archived);
  if (known.madeWith > 0 && ranges.length <= 2 * known.madeWith + 1000) return { ...known, ranges };
  return unarchivedNow(session);
}

/** The ids that are not archived at this moment, from an index of the live table. */
export async function unarchivedNow(session: CellSession): Promise<UnarchivedIds> {
  const live = (await session.query(`SELECT id FROM ${LIVE.instances}`)).map(([id]) => id as number);
  const newest = await session.query(
    `SELECT GREATEST(COALESCE((SELECT MAX(id) FROM ${LIVE.instances}), 0),` +
      ` COALESCE((SELECT MAX(id) FROM ${SHADOW.instances}), 0))`,
  );
  const yetToCome: IdRange = [Number(newest[0]?.[0]) + 1, LAST_ID];
  const ranges = [...mergeIds(live, GAP), yetToCome];
  return { ranges, madeWith: ranges.length };
}
