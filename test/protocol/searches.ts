/* The searches of the model (`publication.pml`): each is a set of its definitions. */

export interface Search {
  readonly name: string;
  readonly defines: Readonly<Record<string, number>>;
  /** Searches for endless loops instead of broken promises. */
  readonly loops?: boolean;
}

const race = { SCHEDULES: 1, BACKFILLS: 1, WINDOWS: 3, BEGIN_1: 2, PAST_BEGIN: 1 };
const beside = { WINDOWS: 2, BEGIN_1: 1, PAST_BEGIN: 1 };
const twoSchedules = { SCHEDULES: 2, BACKFILLS: 0, WINDOWS: 2 };
const twoBackfills = { SCHEDULES: 0, BACKFILLS: 2, WINDOWS: 1 };

/** No promise is broken. The largest come first, so that two at a time end together. */
export const searches: readonly Search[] = [
  {
    name: 'two schedules and two backfills',
    defines: { ...beside, SCHEDULES: 2, BACKFILLS: 2, BEGIN_2: 0 },
  },
  {
    name: 'two schedules, each with a begin of its own',
    defines: { ...twoSchedules, BEGIN_1: 1, BEGIN_2: 0, DELAYED: 2 },
  },
  {
    name: 'three backfills of one window',
    defines: { SCHEDULES: 0, BACKFILLS: 3, WINDOWS: 1, DELAYED: 1 },
  },
  { name: 'two schedules, three windows', defines: { ...twoSchedules, WINDOWS: 3, DELAYED: 1 } },
  {
    name: 'two schedules beside a backfill',
    defines: { ...beside, SCHEDULES: 2, BACKFILLS: 1, DELAYED: 1 },
  },
  {
    name: 'a schedule beside two backfills of one window',
    defines: { ...beside, SCHEDULES: 1, BACKFILLS: 2, DELAYED: 1 },
  },
  { name: 'two backfills of one window', defines: { ...twoBackfills, DELAYED: 3 } },
  { name: 'a schedule and a backfill race for trace.json', defines: { ...race, PAST_1: 0, DELAYED: 2 } },
  { name: 'the same, and begin may exclude the backfill', defines: { ...race, PAST_1: 1, DELAYED: 2 } },
  { name: 'three schedules', defines: { SCHEDULES: 3, BACKFILLS: 0, WINDOWS: 1 } },
  {
    name: 'two backfills of two windows',
    defines: { ...twoBackfills, WINDOWS: 2, PAST_2: 1, PAST_BEGIN: 2, DELAYED: 2 },
  },
  { name: 'trace.json is lost', defines: { ...race, LOST_TRACE: 1, DELAYED: 1 } },
  { name: 'endless loops: two schedules', defines: { ...twoSchedules, DELAYED: 1 }, loops: true },
  { name: 'endless loops: two backfills', defines: { ...twoBackfills, DELAYED: 2 }, loops: true },
];

/** What the runs of the model must not do, and where it shows. */
export const mistakes: readonly Search[] = [
  mistake('MANIFEST_BEFORE_DATA', twoSchedules),
  mistake('MANIFEST_UNCONDITIONAL', twoBackfills),
  mistake('CLAIM_REMOVED', twoBackfills),
  mistake('CLAIM_REMOVED', twoSchedules),
  mistake('BEGIN_MOVED', { ...race, PAST_1: 0 }),
  mistake('CHECKPOINT_BEFORE_MANIFEST', twoSchedules),
  mistake('DATA_UNCONDITIONAL', twoBackfills),
  mistake('CLAIM_TAKEN_UNCONDITIONALLY', twoSchedules),
  mistake('COMMIT_UNCONDITIONAL', twoSchedules),
  mistake('CHECKPOINT_READ_FIRST', twoSchedules),
  mistake('HELD_ONLY_CHECKED_AFTER_WRITING', twoBackfills),
  mistake('TRIED_FORGOTTEN', twoBackfills),
  mistake('ONE_ID_FOR_TWO_RUNS', twoBackfills),
  mistake('TAKEN_AGAIN_UNDER_THE_SAME_ID', { ...twoBackfills, DELAYED: 1 }),
  mistake('TRACE_LOOKED_FOR_ONCE', { ...race, PAST_1: 0 }),
  mistake('BACKFILL_BEYOND_BEGIN', { ...race, PAST_1: 1 }),
];

/**
 * What the protocol does not promise. LATE_DATA: a run that lost its claim writes a key after the decision that does
 * not list it, and nothing deletes it. EQUAL_BYTES: runs whose masks are the same write equal bytes; then a write of a
 * run that lost its claim can find the version that it expects again, and replace what is published.
 */
export const limits: readonly Search[] = ['LATE_DATA', 'EQUAL_BYTES'].map((name) => ({
  name,
  defines: { ...twoBackfills, DELAYED: 1, [`LIMIT_${name}`]: 1 },
}));

function mistake(name: string, defines: Search['defines']): Search {
  return { name, defines: { ...defines, [`MISTAKE_${name}`]: 1 } };
}
