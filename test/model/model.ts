import type { Manifest } from '../../lib/drop/manifest.ts';
import { DAY, HOUR, MINUTE, type Seconds, iso } from '../../lib/time.ts';
import { type Drop, readDrops } from '../support/drops.ts';
import { type Random, seeded } from '../support/nova/prng.ts';
import type { Cell } from '../support/nova/schema.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import type { Stage } from '../support/stage.ts';
import { type CloudStep, type LivingCloud, liveOn } from './cloud.ts';

export type StepKind = CloudStep | 'wait' | 'skip' | 'run' | 'backfill' | 'early' | 'replace';

/** What a step does beyond its kind it draws from its own seed, so that a history stays one when steps are left out. */
export interface Step {
  readonly kind: StepKind;
  readonly seed: number;
}

const START = Date.UTC(2025, 5, 1) / 1000;
const WINDOW = HOUR;
const SETTLE = 30 * MINUTE;
/** Before the trace begins. */
const EARLY_WINDOWS = 3;

const WEIGHTS: Readonly<Record<StepKind, number>> = {
  server: 8,
  start: 24,
  finish: 22,
  reschedule: 3,
  rewrite: 3,
  remove: 3,
  archive: 2,
  purge: 1,
  clone: 2,
  confirm: 2,
  wait: 14,
  skip: 2,
  run: 10,
  backfill: 1,
  early: 1,
  replace: 2,
};

export function planSteps(seed: number, count: number): Step[] {
  const random = seeded(seed);
  const kinds = Object.entries(WEIGHTS).flatMap(([kind, weight]) =>
    Array<StepKind>(weight).fill(kind as StepKind),
  );
  return Array.from({ length: count }, (_, nth) => ({ kind: random.pick(kinds), seed: seed * 1000 + nth }));
}

/** An event by what does not change when it finishes, and how it finished. */
interface Finished {
  readonly identity: string;
  readonly uuid: string;
  readonly finish: Seconds;
}

interface Published extends Finished {
  /** Start of the window in whose drop it is. */
  readonly window: Seconds;
}

/** What came of backfills. */
export interface Tally {
  replaced: number;
  refused: number;
  /** Events of before the trace. */
  backfilled: number;
}

/** Plays a history from an empty cloud on; throws where a drop is not what the model says. */
export async function play(
  stage: Stage,
  cells: readonly Cell[],
  prefix: string,
  steps: readonly Step[],
): Promise<Tally> {
  for (const cell of cells) {
    const tables = ['instance_actions_events', 'instance_actions', 'instances'].flatMap((name) => [
      name,
      `shadow_${name}`,
    ]);
    await cell.query(tables.map((name) => `DELETE FROM ${name}`).join(';'));
  }
  Object.assign(stage.env, { STAR_PREFIX: prefix, STAR_WINDOW_MINUTES: String(WINDOW / MINUTE) });
  const model: Model = {
    stage,
    cells,
    prefix,
    cloud: liveOn(cells, START),
    published: new Map(),
    seen: new Map(),
    early: new Map(),
    tally: { replaced: 0, refused: 0, backfilled: 0 },
    beginning: START + EARLY_WINDOWS * WINDOW,
    watermark: START + EARLY_WINDOWS * WINDOW,
  };
  const { cloud } = model;
  await liveBefore(model, seeded(steps[0]?.seed ?? 0));
  await run(model);
  for (const [nth, { kind, seed }] of steps.entries()) {
    await perform(model, kind, seed).catch((error: unknown) => {
      throw new StepError(nth, error);
    });
  }
  await cloud.advance(2 * HOUR);
  await run(model);
  return model.tally;
}

/** What happens before the trace begins; one server stays for good. */
async function liveBefore(model: Model, random: Random): Promise<void> {
  const { cloud } = model;
  await cloud.do.server(random);
  while (cloud.now < model.beginning + WINDOW) {
    for (const step of ['server', 'start', 'start', 'finish'] as const) await cloud.do[step](random);
    await cloud.advance(random.whole(1, 15) * MINUTE);
  }
  await cloud.advance(model.beginning + WINDOW + SETTLE - cloud.now);
  for (const row of await finished(model, model.beginning)) model.early.set(row.identity, row.finish);
}

/** Which step it was, so that what follows can be left out. */
export class StepError extends Error {
  readonly step: number;

  constructor(step: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.step = step;
  }
}

interface Model {
  readonly stage: Stage;
  readonly cells: readonly Cell[];
  readonly prefix: string;
  readonly cloud: LivingCloud;
  /** By identity. */
  readonly published: Map<string, Published>;
  /** By identity, the finish that the last run saw, as far as it was to be published then. */
  readonly seen: Map<string, Seconds>;
  /** By identity, the finish of what had finished before the trace began: a matter of backfills, and of nobody else. */
  readonly early: Map<string, Seconds>;
  readonly tally: Tally;
  /** Start of the first window that the schedule publishes. */
  readonly beginning: Seconds;
  watermark: Seconds;
}

async function perform(model: Model, kind: StepKind, seed: number): Promise<void> {
  const random = seeded(seed);
  const { cloud } = model;
  if (kind === 'wait') await cloud.advance(random.whole(1, 25) * MINUTE);
  else if (kind === 'skip') await cloud.advance(random.whole(60, 180) * MINUTE);
  else if (kind === 'run') await run(model);
  else if (kind === 'backfill' || kind === 'replace')
    await backfill(model, kind, random.whole(1, 6), random.whole(0, 3));
  else if (kind === 'early')
    await backfillEarly(model, random.whole(0, EARLY_WINDOWS - 1), random.whole(1, 2));
  else await cloud.do[kind](random);
}

/** What had finished before the trace began, or was shown later to have, is not of the trace. */
function isEarly({ early, beginning }: Model, { identity, finish }: Finished): boolean {
  return early.has(identity) || finish < beginning;
}

async function run(model: Model): Promise<void> {
  const { stage, cloud } = model;
  const until = Math.floor((cloud.now - SETTLE) / WINDOW) * WINDOW;
  const due: Seconds[] = [];
  for (let start = model.watermark; start < until; start += WINDOW) due.push(start);
  const { status, windows } = await stage.run(cloud.now);
  expectSame('status', status, due.length === 0 ? 'upToDate' : 'published');
  expectSame('windows', windows.map(({ window }) => window).join(), due.map(textOf).join());
  const drops = await dropsOf(model);
  const isBacklog = due.length > 1;
  for (const start of due) {
    const drop = drops.get(iso(start));
    const found = rowsOf(drop);
    const expected = (await finished(model, start + WINDOW)).filter(
      (row) => !model.published.has(row.identity) && !isEarly(model, row),
    );
    // In a backlog, what was copied between cells may come from the copy, as late, in a later window of the same run.
    const isCertain = ({ uuid }: Finished): boolean => !(isBacklog && cloud.cloned.has(uuid));
    expectEqual(`the drop of ${textOf(start)}`, found.filter(isCertain), expected.filter(isCertain));
    for (const row of found) {
      const before = model.published.get(row.identity);
      if (before !== undefined)
        throw new Error(`${row.identity} is in the drops of ${iso(before.window)} and ${iso(start)}`);
      model.published.set(row.identity, { ...row, window: start });
    }
    expectSame('late', drop?.manifest.counts.late, found.filter(({ finish }) => finish < start).length);
  }
  model.watermark = Math.max(model.watermark, until);
  const now = await finished(model, Infinity);
  if (due.length > 0)
    for (const { identity, finish } of now) if (finish < model.watermark) model.seen.set(identity, finish);
  const left = now.filter(
    (row) => row.finish < model.watermark && !model.published.has(row.identity) && !isEarly(model, row),
  );
  if (due.length > 0) expectEqual('what the drops lack', left, []);
}

/** Of windows before the trace, in which each event is as it was, but for what was finished again or purged since. */
async function backfillEarly(model: Model, first: number, length: number): Promise<void> {
  const start = START + first * WINDOW;
  const end = Math.min(model.beginning, start + length * WINDOW);
  const before = await dropsOf(model);
  await model.stage.backfill({ start: iso(start), end: iso(end) });
  const drops = await dropsOf(model);
  const now = new Map((await finished(model, Infinity)).map(({ identity, finish }) => [identity, finish]));
  const isCertain = ({ identity }: Finished): boolean => now.get(identity) === model.early.get(identity);
  for (let window = start; window < end; window += WINDOW) {
    if (before.has(iso(window))) {
      expectSame('a drop', runOf(drops.get(iso(window))), runOf(before.get(iso(window))));
      continue;
    }
    const found = rowsOf(drops.get(iso(window)));
    const expected = [...model.early]
      .map(([identity, finish]) => ({ identity, finish, uuid: identity.split(' ')[0] ?? '' }))
      .filter(({ finish }) => finish >= window && finish < window + WINDOW);
    expectEqual(`the early drop of ${textOf(window)}`, found.filter(isCertain), expected.filter(isCertain));
    for (const row of found) {
      if (model.published.has(row.identity)) throw new Error(`${row.identity} was published before`);
      model.published.set(row.identity, { ...row, window });
    }
    model.tally.backfilled += found.length;
  }
}

async function backfill(
  model: Model,
  kind: 'backfill' | 'replace',
  length: number,
  back: number,
): Promise<void> {
  const end = model.watermark - back * WINDOW;
  const start = Math.max(model.beginning, end - length * WINDOW);
  if (start >= end) return;
  const before = await dropsOf(model);
  const event = { start: iso(start), end: iso(end), replace: kind === 'replace' };
  if (kind === 'backfill') {
    await model.stage.backfill(event);
    const drops = await dropsOf(model);
    expectSame('drops', [...drops.values()].map(runOf).join(), [...before.values()].map(runOf).join());
    return;
  }
  const isIn = (time: Seconds): boolean => time >= start && time < end;
  const published = [...model.published.values()];
  const here = published.filter(({ window }) => isIn(window));
  const now = await finished(model, Infinity);
  const present = new Map(now.map((row) => [row.identity, row]));
  const isPurged = here.some(({ identity }) => !present.has(identity));
  const displaced = [...before.values()].filter(({ manifest: { window, displacedFrom } }) => {
    const from = displacedFrom === null ? Infinity : Date.parse(displacedFrom) / 1000;
    return window.start >= iso(start) && from < (window.start < iso(end) ? start : end);
  });
  const homeOf = ({ identity, window }: Published): Seconds => model.seen.get(identity) ?? window;
  const parted = published.filter((row) => isIn(row.window) !== isIn(homeOf(row)));
  if (parted.length > 0 && displaced.length === 0)
    throw new Error(`no manifest tells that ${parted[0]?.identity} is not in the drop of its own window`);
  const isAgain = here.some(({ identity }) => {
    const finish = present.get(identity)?.finish;
    return finish !== undefined && finish !== model.seen.get(identity);
  });
  const refusal = await model.stage.backfill(event).then(
    () => undefined,
    (error: Error) => error,
  );
  const reason =
    refusal === undefined ? undefined : REASONS.find(([, pattern]) => pattern.test(refusal.message))?.[0];
  const allowed = {
    displaced: displaced.length > 0,
    purged: isPurged,
    again: isAgain,
  };
  if (refusal !== undefined && (reason === undefined || !allowed[reason]))
    throw new Error(`a replacement was refused: ${refusal.message}`, { cause: refusal });
  if (refusal === undefined && (displaced.length > 0 || isPurged))
    throw new Error(`a replacement was not refused: ${JSON.stringify({ ...allowed, start, end })}`);
  if (refusal !== undefined) model.tally.refused++;
  // One that is refused for what was purged has made the windows before anew.
  if (refusal !== undefined && reason !== 'purged') return;
  if (refusal === undefined) model.tally.replaced++;
  const drops = await dropsOf(model);
  const isNew = (window: Seconds): boolean =>
    drops.get(iso(window))?.manifest.run !== before.get(iso(window))?.manifest.run;
  for (const { identity, window } of here) if (isNew(window)) model.published.delete(identity);
  // What no drop had, the next run brings late; what has been finished again stays as it was.
  const known = new Set(published.map(({ identity }) => identity));
  const expected = now
    .filter(({ identity }) => known.has(identity))
    .map((row) => ({ ...row, finish: model.seen.get(row.identity) ?? row.finish }));
  for (let window = start; window < end; window += WINDOW) {
    if (!isNew(window)) {
      if (refusal === undefined) throw new Error(`${textOf(window)} was not replaced`);
      continue;
    }
    const found = rowsOf(drops.get(iso(window)));
    expectEqual(
      `the replaced drop of ${textOf(window)}`,
      found,
      expected.filter(({ finish }) => finish >= window && finish < window + WINDOW),
    );
    for (const row of found) {
      const other = model.published.get(row.identity);
      if (other !== undefined)
        throw new Error(
          `${row.identity} is in the drops of ${iso(other.window)} and ${iso(window)}, which was replaced`,
        );
      model.published.set(row.identity, { ...row, window });
    }
  }
}

/** Why a replacement is refused, and how it says so. */
const REASONS = [
  ['displaced', /^event: replace: the published window /],
  ['purged', /^event: replace: the drops? of .* were purged/],
  ['again', /has been finished again since/],
] as const;

const runOf = (drop: Drop | undefined): Manifest['run'] | undefined => drop?.manifest.run;
const textOf = (start: Seconds): string => `${iso(start)}/${iso(start + WINDOW)}`;

/** What the source has, by the plainest select; of an event and its copy one. */
async function finished({ cells, cloud }: Model, until: Seconds): Promise<Finished[]> {
  const found = new Map<string, Finished>();
  for (const row of await finishedEvents(cells, Math.min(until, cloud.now + DAY))) {
    const [start, finish] = ['start_time', 'finish_time'].map(
      (name) => Date.parse(`${String(row[name])}Z`) / 1000,
    );
    const uuid = String(row['uuid']);
    const identity = `${uuid} ${String(row['event'])} ${iso(start ?? 0)}`;
    found.set(identity, { identity, uuid, finish: finish ?? 0 });
  }
  return [...found.values()];
}

async function dropsOf({ stage, prefix }: Model): Promise<Map<string, Drop>> {
  const drops = await readDrops(stage.client, `${prefix}/`);
  return new Map(drops.map((drop) => [drop.manifest.window.start, drop]));
}

function rowsOf(drop: Drop | undefined): Finished[] {
  return (drop?.rows['jsonl'] ?? []).map((row) => {
    const uuid = String(row['uuid']);
    const identity = `${uuid} ${String(row['event'])} ${String(row['start_time'])}`;
    return { identity, uuid, finish: Date.parse(String(row['finish_time'])) / 1000 };
  });
}

function expectSame(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: ${String(found)}, and by the model ${String(expected)}`);
}

function expectEqual(what: string, found: readonly Finished[], expected: readonly Finished[]): void {
  const text = (rows: readonly Finished[]): string[] =>
    rows.map(({ identity, finish }) => `${identity} to ${iso(finish)}`).toSorted();
  const [left, right] = [text(found), text(expected)];
  if (left.join() === right.join()) return;
  const [extra, missing] = [
    left.filter((row) => !right.includes(row)),
    right.filter((row) => !left.includes(row)),
  ];
  throw new Error(
    `${what} is not what the model says: too many ${JSON.stringify(extra)}, missing ${JSON.stringify(missing)}`,
  );
}
