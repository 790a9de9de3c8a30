import { latestEdge } from '../../lib/backfill/request.ts';
import { DAY, HOUR, MINUTE, type Seconds, iso } from '../../lib/core/time.ts';
import { floorTo } from '../../lib/core/window.ts';
import { type Random, seeded } from '../support/nova/prng.ts';
import type { Cell } from '../support/nova/schema.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import type { Stage } from '../support/stage.ts';
import { readObjects, tracesAmong } from '../support/trace/read.ts';
import { clock } from './clock.ts';
import { type CloudStep, type LivingCloud, liveOn } from './cloud.ts';
import { HOST_STEPS, beatOn, hostRows } from './hosts.ts';
import {
  type Finished,
  type Oracle,
  type Look,
  type Totals,
  SCHEDULED,
  expectSame,
  openOracle,
} from './oracle.ts';
import {
  type Board,
  MOVES,
  type MoveKind,
  type Release,
  WINDOW,
  excuse,
  moveOf,
  releaseMove,
} from './moves.ts';
import { type Move, type Trouble, type Troubles, drawTrouble } from './trouble.ts';

export type StepKind = CloudStep | 'wait' | 'skip' | MoveKind | 'pair' | 'behind';

/** What a step does beyond its kind it draws from its own seed, so that a history stays one when steps are left out. */
export interface Step {
  readonly kind: StepKind;
  readonly seed: number;
}

export interface History {
  /** Of what happens before the first step. */
  readonly seed: number;
  /** Whether it happens within the last two days, so that a backfill may come before the first scheduled run. */
  readonly isRecent: boolean;
  /** Whether the tables of machines are published, and the names of machines kept. */
  readonly machines: 'none' | 'told' | 'named';
  readonly steps: readonly Step[];
}

export const SETTLE = 30 * MINUTE;
/** Of a history that is not recent. */
const LONG_AGO = Date.UTC(2025, 5, 1) / 1000;
/** Name of the secret that seals names of machines. */
export const STATE_KEY = 'model/state-key';
/** Windows before the first step. */
const EARLY_WINDOWS = 4;

export const WEIGHTS: Readonly<Record<StepKind, number>> = {
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
  unarchive: 2,
  clock: 2,
  backup: 2,
  restore: 2,
  addHost: 2,
  removeHost: 3,
  returnHost: 2,
  renameHost: 2,
  undeleteHost: 2,
  switchHost: 4,
  resizeHost: 3,
  archiveHosts: 1,
  purgeHosts: 1,
  wait: 14,
  skip: 2,
  run: 8,
  backfill: 3,
  release: 3,
  pair: 8,
  behind: 3,
};

interface Model {
  readonly stage: Stage;
  readonly cells: readonly Cell[];
  readonly prefix: string;
  readonly troubles: Troubles;
  readonly cloud: LivingCloud;
  readonly start: Seconds;
  readonly isRecent: boolean;
  readonly hasHosts: boolean;
  readonly releases: Release[];
  readonly oracle: Oracle;
  /** What the source had when a release was asked for first, by the name of its cloud. */
  readonly planned: Map<string, Look['source']>;
  last: Look;
  readonly totals: Totals;
}

/** Plays a history from an empty cloud on; throws where a promise is broken or a drop is not what the model says. */
export async function play(
  stage: Stage,
  troubles: Troubles,
  cells: readonly Cell[],
  prefix: string,
  { seed, isRecent, machines, steps }: History,
  totals: Totals,
): Promise<void> {
  for (const cell of cells) {
    const names = ['instance_actions_events', 'instance_actions', 'instances', 'services', 'compute_nodes'];
    const tables = names.flatMap((name) => [name, `shadow_${name}`]);
    await cell.query(tables.map((name) => `DELETE FROM ${name}`).join(';'));
  }
  Object.assign(stage.env, {
    STAR_PREFIX: prefix,
    STAR_WINDOW_MINUTES: String(WINDOW / MINUTE),
    STAR_FORMATS: 'jsonl',
    STAR_BACKFILL_SECRETS: `${prefix}/backfill`,
    STAR_TABLES: machines === 'none' ? 'instance_events' : 'instance_events,machines,machine_events',
    STAR_STATE_KEY: machines === 'named' ? STATE_KEY : '',
  });
  const start = isRecent ? latestEdge(Date.now() / 1000, WINDOW) - EARLY_WINDOWS * WINDOW : LONG_AGO;
  const hasHosts = machines !== 'none';
  const cloud = liveOn(cells, start, hasHosts);
  const releases: Release[] = [];
  const oracle = openOracle(cloud, totals);
  const last = { traces: new Map(), source: new Map(), hosts: [], settled: start };
  const base = { stage, cells, prefix, troubles, cloud, start, isRecent, hasHosts };
  const model: Model = { ...base, releases, oracle, totals, planned: new Map(), last };
  await liveBefore(model, seeded(seed));
  for (const step of steps) {
    await perform(model, step);
    totals.steps++;
  }
  await end(model);
}

/** What happens before the first step; one server stays for good. */
async function liveBefore({ cloud, start }: Model, random: Random): Promise<void> {
  await cloud.do.server(random);
  for (let nth = 0; nth < 3; nth++) await cloud.do.addHost(random);
  const until = start + EARLY_WINDOWS * WINDOW;
  while (cloud.now < until + SETTLE) {
    for (const step of ['server', 'start', 'start', 'finish', random.pick(HOST_STEPS)] as const)
      await cloud.do[step](random);
    await cloud.advance(random.whole(1, 15) * MINUTE);
  }
  await cloud.advance(Math.max(0, until + WINDOW + SETTLE - cloud.now));
}

async function perform(model: Model, { kind, seed }: Step): Promise<void> {
  const random = seeded(seed);
  if (kind === 'wait') await advance(model, random.whole(1, 25) * MINUTE);
  else if (kind === 'skip') await advance(model, random.whole(60, 180) * MINUTE);
  else if (kind === 'run' || kind === 'backfill' || kind === 'release') await draw(model, [kind], random);
  else if (kind === 'pair') {
    const first = random.pick(MOVES);
    const other = random.chance(0.6) ? first : random.pick(MOVES);
    await draw(model, [first, other], random);
  } else if (kind === 'behind') await runBehind(model, random);
  else await model.cloud.do[kind](random);
}

/** The schedule refuses what is yet to come. */
async function advance({ cloud, isRecent }: Model, seconds: Seconds): Promise<void> {
  if (isRecent && cloud.now + seconds + END > Date.now() / 1000) return;
  await cloud.advance(seconds);
}

/** Late commits and the last window are over by then. */
const END = 6 * HOUR;

/** Publishes everything that is left, without troubles. */
async function end(model: Model): Promise<void> {
  const { cloud, releases, oracle, stage, start } = model;
  await cloud.advance(END);
  await make(model, [() => stage.run(cloud.now)], { isRun: true });
  const until = Math.min(oracle.begin() ?? start, latestEdge(Date.now() / 1000, WINDOW));
  if (until > start) {
    const { status } = (await make(model, [
      () => stage.backfill({ start: iso(start), end: iso(until) }),
    ])) as { status: string };
    expectSame('the backfill of everything', status, 'published');
  }
  for (const release of releases) {
    // One whose rows have gone since it was planned is planned again by a new execution.
    for (let tries = 0; tries < 4 && !isComplete(model, release); tries++)
      await make(model, [releaseMove(boardOf(model), release, seeded(tries))]);
  }
  const secrets = (): string[] =>
    stage.secretsManager.names().filter((name) => name.startsWith(`${model.prefix}/`));
  // One that fails may have planned while another completed the release.
  const mayLeave = releases.filter(({ executions }) => executions.some(({ isBusy }) => !isBusy));
  const excused = mayLeave.map(({ name }) => `${model.prefix}/backfill/release/${name}`);
  expectSame(
    'secrets that are left',
    secrets()
      .filter((name) => !excused.includes(name))
      .join(),
    '',
  );
  await stage.step('end', { sweep: true });
  expectSame('secrets that the sweep leaves', secrets().join(), '');
  oracle.end(model.last);
}

/** A scheduled run that reads a replica which does not show the newest events yet. */
async function runBehind(model: Model, random: Random): Promise<void> {
  const { cells, cloud, oracle, stage, hasHosts } = model;
  // What a first run does not see would be nobody's promise; and hosts' heartbeats would show that it is behind.
  if (oracle.begin() === undefined || hasHosts) return;
  const table = 'instance_actions_events';
  for (const cell of cells) {
    const newest = await cell.query(`SELECT id FROM ${table} ORDER BY id DESC LIMIT ${random.whole(1, 8)}`);
    const from = Number(newest.at(-1)?.['id'] ?? 0);
    await cell.query(
      `DROP TABLE IF EXISTS hidden; CREATE TABLE hidden AS SELECT * FROM ${table} WHERE id >= ${from};
       DELETE FROM ${table} WHERE id >= ${from}`,
    );
  }
  try {
    await make(model, [() => stage.run(cloud.now)], { isRun: true });
  } finally {
    for (const cell of cells) await cell.query(`INSERT INTO ${table} SELECT * FROM hidden`);
  }
}

function isComplete({ last }: Model, { name }: Release): boolean {
  return last.traces.get(`${SCHEDULED}-${name}`)?.release !== undefined;
}

function boardOf({ stage, prefix, cloud, start, isRecent, releases, oracle }: Model): Board {
  const edge = latestEdge(Date.now() / 1000, WINDOW);
  return { stage, prefix, now: cloud.now, start, begin: oracle.begin(), isRecent, edge, releases };
}

async function draw(model: Model, kinds: readonly MoveKind[], random: Random): Promise<void> {
  const board = boardOf(model);
  const moves = kinds.flatMap((kind) => moveOf(board, kind, random) ?? []);
  const trouble = drawTrouble(random, moves.length > 1);
  if (moves.length > 0) await make(model, moves, { trouble, isRun: kinds[0] === 'run' });
}

/** Makes moves and looks at what came of them; gives the answer of the first. */
async function make(
  model: Model,
  moves: readonly Move[],
  { trouble, isRun = false }: { trouble?: Trouble | undefined; isRun?: boolean } = {},
): Promise<unknown> {
  const { troubles, oracle, totals } = model;
  const [before, begin] = [model.last, oracle.begin()];
  const earliest = latestEdge(Date.now() / 1000, WINDOW);
  clock.now = model.cloud.now;
  if (model.hasHosts) await beatOn(model.cells, model.cloud.now);
  const { outcomes, isMet } = await troubles.perform(moves, trouble);
  const isPair = moves.length > 1;
  for (const outcome of outcomes) excuse(outcome, { isMet, isPair });
  totals.moves += moves.length;
  if (isMet) totals.troubles++;

  model.last = await look(model);
  for (const { name } of model.releases) {
    const cloudName = `${SCHEDULED}-${name}`;
    if (!model.planned.has(cloudName)) model.planned.set(cloudName, model.last.source);
  }
  oracle.observe(model.last, model.planned);
  const [first] = outcomes;
  const begun = oracle.begin();
  if (begin === undefined && begun !== undefined) {
    const possible = [model.last.settled - WINDOW, earliest, latestEdge(Date.now() / 1000, WINDOW)];
    if (!possible.includes(begun)) throw new Error(`the trace begins at ${iso(begun)}`);
  }
  if (isRun && !isPair && !isMet && first !== undefined && 'value' in first)
    checkRun(first.value as Answer, before, model.last);
  return first !== undefined && 'value' in first ? first.value : undefined;
}

interface Answer {
  readonly status: string;
  readonly windows: readonly { readonly window: string }[];
}

/** A run that nothing disturbs finishes what is decided and publishes what is due. */
function checkRun({ status, windows }: Answer, before: Look, { traces, settled }: Look): void {
  const trace = traces.get(SCHEDULED);
  const begin = trace?.fixed?.begin ?? Number.NaN;
  const reached = before.traces.get(SCHEDULED)?.checkpoint?.end ?? begin;
  const due: string[] = [];
  for (let start = reached; start < settled; start += WINDOW)
    due.push(`${iso(start)}/${iso(start + WINDOW)}`);
  expectSame('status', status, due.length === 0 ? 'upToDate' : 'published');
  expectSame('windows', windows.map(({ window }) => window).join(), due.join());
  if (due.length > 0) expectSame('checkpoint', trace?.checkpoint?.end, settled);
}

async function look(model: Model): Promise<Look> {
  const { stage, prefix, cloud, cells } = model;
  const traces = tracesAmong(await readObjects(stage.client, `${prefix}/`));
  const [source, hosts] = [await finished(model), await hostRows(cells)];
  return { traces, source, hosts, settled: floorTo(cloud.now - SETTLE, WINDOW) };
}

/** What the source has, by the plainest select. */
async function finished({ cells, cloud }: Model): Promise<Map<string, Finished>> {
  const found = new Map<string, Finished>();
  for (const row of await finishedEvents(cells, cloud.now + DAY)) {
    const [start, finish] = ['start_time', 'finish_time'].map(
      (name) => Date.parse(`${String(row[name])}Z`) / 1000,
    );
    const [uuid, name] = [String(row['uuid']), String(row['event'])];
    const identity = `${name} ${iso(start ?? 0)}`;
    found.set(identity, { identity, name, uuid, finish: finish ?? 0 });
  }
  return found;
}
