import { eventsOf } from '../support/drops.ts';
import { type Seconds, iso, parseInstant } from '../../lib/core/time.ts';
import { brokenPromises } from '../support/trace/promises.ts';
import { type StoredDrop, type StoredTrace, rowsOf } from '../support/trace/read.ts';
import type { LivingCloud } from './cloud.ts';
import type { HostRow } from './hosts.ts';
import { openMachinesOracle } from './machines.ts';

/** The store and the source at one moment. */
export interface Look {
  readonly traces: ReadonlyMap<string, StoredTrace>;
  /** What has finished, by identity; of an event and its copy one. */
  readonly source: ReadonlyMap<string, Finished>;
  readonly hosts: readonly HostRow[];
  /** The last edge up to which the schedule may publish. */
  readonly settled: Seconds;
}

/** An event by what does not change when it finishes, and how it finished. */
export interface Finished {
  /** Its name, which no other event of its start has, and its start. */
  readonly identity: string;
  readonly name: string;
  readonly uuid: string;
  readonly finish: Seconds;
}

interface Row {
  readonly identity: string;
  /** Of the server. */
  readonly mask: string;
  readonly finish: Seconds;
}

/** What histories came to. */
export interface Totals {
  steps: number;
  moves: number;
  /** Moves with a trouble that they met. */
  troubles: number;
  scheduled: number;
  backfilled: number;
  released: number;
  releases: number;
  /** Events that finished before `begin`, and became visible when their window was published. */
  missed: number;
  beforeBegin: number;
  machineEvents: number;
}

export const SCHEDULED = 'test';

/** Holds what is published against a simple model, look by look. */
export interface Oracle {
  /** Of the scheduled trace, as first seen. */
  begin(): Seconds | undefined;
  /** End of the last scheduled drop. */
  watermark(): Seconds | undefined;
  /**
   * @param look after a move, in which the cloud stood still
   * @param planned what the source had when a release's execution was planned, by the release's name
   * @throws Error where something is not as it should be
   */
  observe(look: Look, planned: ReadonlyMap<string, Look['source']>): void;
  /** When all is published. */
  end(look: Look): void;
}

export function openOracle(cloud: LivingCloud, totals: Totals): Oracle {
  const fixed = new Map<string, string>();
  /** Texts of manifests by their keys, as first seen. */
  const known = new Map<string, string>();
  /** Of the scheduled trace: by identity, the start of the window in whose drop it is. */
  const published = new Map<string, Seconds>();
  const uuids = new Map<string, string>();
  const masks = new Map<string, Map<string, string>>();
  const machines = openMachinesOracle(cloud.hostEvents);
  let begin: Seconds | undefined;
  let watermark: Seconds | undefined;
  /** What had finished before `begin` when the schedule last read, and whenever it read. */
  let early: { readonly last: ReadonlySet<string>; readonly ever: ReadonlySet<string> } | undefined;

  /** A finish that Nova rewrote across `begin`, or before it, is not promised. */
  const isUnstable = (name: string): boolean => (cloud.rewritten.get(name) ?? Infinity) < (begin ?? Infinity);
  const nameOf = (identity: string): string => identity.split(' ')[0] ?? '';
  const isCloned = (identity: string): boolean => cloud.cloned.has(uuids.get(identity) ?? '');

  const rowsIn = (trace: StoredTrace, drop: StoredDrop): Row[] =>
    rowsOf(trace, drop).map((row) => {
      const identity = `${String(row['event'])} ${String(row['start_time'])}`;
      const mask = String(row['uuid']);
      join(drop.manifest.masking.scope, uuids.get(identity) ?? '', mask);
      return { identity, mask, finish: Date.parse(String(row['finish_time'])) / 1000 };
    });
  /** Within a scope a server has one mask, and a mask one server. */
  const join = (scope: string, uuid: string, mask: string): void => {
    const tied = masks.get(scope) ?? new Map<string, string>();
    masks.set(scope, tied);
    for (const [from, to] of [
      [`server ${uuid}`, mask],
      [`mask ${mask}`, uuid],
    ] as const) {
      if (tied.has(from) && tied.get(from) !== to)
        throw new Error(`scope ${scope}: ${from} is ${to} and ${tied.get(from)}`);
      tied.set(from, to);
    }
  };
  const publish = (rows: readonly Row[], start: Seconds): void => {
    for (const { identity } of rows) {
      const other = published.get(identity);
      if (other !== undefined && !isUnstable(nameOf(identity)))
        throw new Error(`${identity} is in the drops of ${iso(other)} and ${iso(start)}`);
      published.set(identity, start);
    }
  };

  const checkScheduled = (trace: StoredTrace, drop: StoredDrop, { source, settled }: Look): void => {
    const rows = rowsIn(trace, drop);
    // In a backlog, what was copied between cells may come from the copy, as late, in a later window. So may what began
    // in the future by a clock that was ahead, until other rows come after it.
    const isCertain = ({ identity }: { identity: string }): boolean =>
      !isUnstable(nameOf(identity)) &&
      !(drop.end < settled && isCloned(identity)) &&
      startOf(identity) < drop.end;
    const due = [...source.values()].filter(
      ({ identity, finish }) => finish >= (begin ?? 0) && finish < drop.end && !published.has(identity),
    );
    expectEqual(`the scheduled drop of ${iso(drop.start)}`, rows.filter(isCertain), due.filter(isCertain));
    publish(rows, drop.start);
    const late = rows.filter(({ finish }) => finish < drop.start).length;
    expectSame('late', eventsOf(drop.manifest).counts.late, late);
    watermark = drop.end;
    totals.scheduled += rows.length;
  };
  /** What finished before `begin` and is visible since the schedule read last, is counted and not published. */
  const checkBeforeBegin = (drops: readonly StoredDrop[], { source }: Look): void => {
    if (drops.length === 0 || begin === undefined) return;
    const counted = drops.reduce(
      (sum, { manifest }) => sum + (eventsOf(manifest).counts.beforeBegin ?? 0),
      0,
    );
    const now = [...source.values()].filter(({ finish }) => finish < (begin ?? 0));
    const isNew = ({ identity }: Finished): boolean => early !== undefined && !early.ever.has(identity);
    const mayCount = ({ name, identity }: Finished): boolean =>
      // Rewritten ones and copies, what is in both tables, and what a replica did not show for a while.
      isUnstable(name) ||
      isCloned(identity) ||
      cloud.twice.has(uuids.get(identity) ?? '') ||
      early?.last.has(identity) === false;
    const least = now.filter((row) => isNew(row) && !isUnstable(row.name) && !isCloned(row.identity)).length;
    const most = now.filter((row) => isNew(row) || mayCount(row)).length;
    if (counted < least || counted > most)
      throw new Error(`beforeBegin: ${counted}, and by the model ${least} to ${most}`);
    const last = new Set(now.map(({ identity }) => identity));
    early = { last, ever: last.union(early?.ever ?? new Set()) };
    totals.beforeBegin += counted;
  };
  const checkPast = (trace: StoredTrace, drop: StoredDrop, { source }: Look): void => {
    const rows = rowsIn(trace, drop);
    const isCertain = ({ identity }: { identity: string }): boolean => !isUnstable(nameOf(identity));
    const due = [...source.values()].filter(({ finish }) => finish >= drop.start && finish < drop.end);
    expectEqual(`the backfilled drop of ${iso(drop.start)}`, rows.filter(isCertain), due.filter(isCertain));
    publish(rows, drop.start);
    totals.backfilled += rows.length;
  };
  const checkRelease = (
    trace: StoredTrace,
    drop: StoredDrop,
    { source }: Look,
    planned: Look['source'] | undefined,
  ): void => {
    const rows = rowsIn(trace, drop);
    // A worker goes by what the plan found: what the cloud did since, it may see or not.
    const isCertain = ({ identity }: { identity: string }): boolean =>
      planned === undefined || planned.get(identity)?.finish === source.get(identity)?.finish;
    const due = [...source.values()].filter(({ finish }) => finish >= drop.start && finish < drop.end);
    expectEqual(
      `${trace.root}: the drop of ${iso(drop.start)}`,
      rows.filter(isCertain),
      due.filter(isCertain),
    );
    const identities = rows.map(({ identity }) => identity);
    if (new Set(identities).size !== rows.length)
      throw new Error(`${trace.root}: an event is twice in a drop`);
    totals.released += rows.length;
  };

  return {
    begin: () => begin,
    watermark: () => watermark,
    observe(look, planned) {
      for (const { identity, uuid } of look.source.values()) uuids.set(identity, uuid);
      for (const [name, trace] of look.traces) {
        expectFixed(fixed, `${name}: trace.json`, trace.fixed?.text);
        if (name === SCHEDULED) begin ??= trace.fixed?.begin;
        const wrong = brokenPromises(trace);
        if (wrong.length > 0) throw new Error(wrong.join('; '));
        const drops = new Map(trace.drops.map((drop) => [drop.key, drop]));
        for (const [key, text] of known)
          if (key.startsWith(`${trace.root}/`) && drops.get(key)?.text !== text)
            throw new Error(`${key} has changed`);
        const fresh = trace.drops.filter(({ key }) => !known.has(key));
        for (const { key, text } of fresh) known.set(key, text);
        if (name === SCHEDULED) {
          const ofSchedule = fresh.filter(({ manifest }) => manifest.previous !== undefined);
          for (const drop of ofSchedule) checkScheduled(trace, drop, look);
          checkBeforeBegin(ofSchedule, look);
          const past = fresh.filter((drop) => !ofSchedule.includes(drop));
          for (const drop of past) checkPast(trace, drop, look);
          for (const drop of ofSchedule.filter(hasMachines)) machines.checkScheduled(trace, drop, look.hosts);
          machines.checkPast(trace, past.filter(hasMachines), look.hosts);
        } else {
          for (const drop of fresh) checkRelease(trace, drop, look, planned.get(name));
          machines.checkPast(trace, fresh.filter(hasMachines), look.hosts);
        }
      }
    },
    end({ source, traces, settled, hosts }) {
      expectSame('the end of the last scheduled drop', iso(watermark ?? 0), iso(settled));
      const scheduled = traces.get(SCHEDULED);
      const lacking = [...source.values()].filter(
        ({ identity, name, finish }) =>
          Math.max(finish, startOf(identity)) < settled && !published.has(identity) && !isUnstable(name),
      );
      const lost = lacking.filter(({ finish }) => finish >= (begin ?? 0));
      expectEqual('what the scheduled drops lack', lost, []);
      totals.missed += lacking.length - lost.length;
      machines.end(hosts);
      totals.machineEvents += machines.told();
      for (const trace of traces.values())
        if (trace.tried.size > 0) throw new Error(`${trace.root}: a claim is undecided`);
      expectSame('the checkpoint', scheduled?.checkpoint?.end, watermark);
      for (const { root, fixed: { kind } = {}, release } of traces.values()) {
        if (kind !== 'release') continue;
        if (release === undefined) throw new Error(`${root}: is not complete`);
        totals.releases++;
      }
    },
  };
}

function hasMachines({ manifest }: StoredDrop): boolean {
  return 'machine_events' in manifest.tables;
}

/** An identity ends with the start. */
const startOf = (identity: string): Seconds => parseInstant(identity.split(' ').at(-1) ?? '') ?? Infinity;

function expectFixed(fixed: Map<string, string>, what: string, text: string | undefined): void {
  const before = fixed.get(what);
  if (before !== undefined && text !== before) throw new Error(`${what} has changed`);
  if (text !== undefined) fixed.set(what, text);
}

export function expectSame(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: ${String(found)}, and by the model ${String(expected)}`);
}

type Some = Pick<Row, 'identity' | 'finish'>;

function expectEqual(what: string, found: readonly Some[], expected: readonly Some[]): void {
  const text = (rows: readonly Some[]): string[] =>
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
