import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import type { MachineEventName } from '../../tables/machine-events/row.ts';
import type { Capacity } from '../../tables/machines/row.ts';
import type { FoundMachine } from './found.ts';
import { enabledAt } from './opening.ts';
import type { KnownMachine } from './state.ts';
import type { Tell } from './telling.ts';

export interface Seen {
  readonly machine: FoundMachine;
  /** Undefined for one that was not there. */
  readonly known: KnownMachine | undefined;
  /** Changes are later than that. */
  readonly since: Seconds;
  /** When it was read. */
  readonly at: Seconds;
  readonly window: Window;
  /** Whether `known` is what it was under another name. */
  readonly isRenamed: boolean;
  /** Whether changes are told of which no time is recorded. */
  readonly bounds: boolean;
}

export interface Change {
  /** As the window leaves it. */
  readonly known: KnownMachine;
  /** When it was deleted in the window; null where it was not. */
  readonly ended: Seconds | null;
  /** What was there before under the same name, and when it was deleted at the latest. */
  readonly replaced?: readonly [KnownMachine, Seconds];
}

/** A time that Placement recorded may be of a moment before the read that missed it. */
const CLOCKS: Seconds = 2;

/** Tells the changes of one machine. Undefined for one that comes after the window. */
export function changesOf(seen: Seen, tell: Tell): Change | undefined {
  const { machine, known, window } = seen;
  if (known?.deleted === true && machine.deleted !== null) return { known, ended: null };
  if (known !== undefined && !known.deleted && isNewer(machine, known)) return replacedBy(seen, known, tell);
  const alive = known === undefined || known.deleted ? created(seen, tell) : { known, since: seen.since };
  if (alive === undefined) return known === undefined ? undefined : { known, ended: null };

  const { deleted } = machine;
  if (deleted !== null && deleted < window.end) {
    tell.recorded('DELETE', alive.known.capacity, deleted);
    return { known: { ...alive.known, deleted: true, held: false }, ended: deleted };
  }
  if (deleted !== null) return { known: { ...alive.known, held: true }, ended: null };
  const resized = capacityChange({ ...seen, known: alive.known, since: alive.since }, tell);
  // Two changes of one read may have times in another order: each row has the capacity of its own time.
  const capacityOf = (time: Seconds, isBefore: boolean): Capacity =>
    resized.at !== null && (time < resized.at || (time === resized.at && isBefore))
      ? alive.known.capacity
      : resized.known.capacity;
  const switched = enabledChange({ ...seen, known: resized.known, since: alive.since }, tell, capacityOf);
  return { known: switched, ended: null };
}

/** Of bare metal: a node that is enrolled again under its old uuid. */
function isNewer(machine: FoundMachine, known: KnownMachine): boolean {
  if (machine.renews !== true) return false;
  return machine.created !== null && known.created !== null && machine.created > known.created;
}

/** The old one was deleted before the new one was created, and nothing tells when. */
function replacedBy(seen: Seen, known: KnownMachine, tell: Tell): Change {
  const { machine, window, since } = seen;
  const by = (machine.created ?? since) - 1;
  const isLater = by + 1 >= window.end;
  if (isLater || !tell.bounded('DELETE', known.capacity, by, Math.min(since, by)))
    return { known: { ...known, held: true }, ended: null };
  const change = changesOf({ ...seen, known: undefined }, tell);
  return { known, ended: null, ...change, replaced: [{ ...known, deleted: true }, by] };
}

interface Alive {
  readonly known: KnownMachine;
  readonly since: Seconds;
}

/** A machine that is new, or back: Nova may undelete a row in place, whose time of creation stays the old one. */
function created({ machine, known, since, at, window, bounds }: Seen, tell: Tell): Alive | undefined {
  const isBack = known?.deleted === true && !isNewer(machine, known);
  const recorded = isBack ? null : machine.created;
  if (recorded !== null && recorded >= window.end) return undefined;
  const latest = isBack ? Math.min(machine.changedBy ?? at, at) : at;
  const time = recorded ?? Math.max(latest, since);
  const { capacity, alike } = machine;
  if (recorded !== null) tell.recorded('CREATE', capacity, recorded);
  else if (!tell.bounded('CREATE', capacity, time, since)) return undefined;
  // New services start enabled, unless Nova is told otherwise (`enable_new_services`). Of one that is gone again nothing
  // tells more.
  tellWith(tell, 'ENABLE', capacity, time, recorded);
  // Where a disable without a time cannot be told later, the host has been disabled from the start.
  const enabled = bounds || enabledAt(time, machine);
  if (!enabled) tellWith(tell, 'DISABLE', capacity, time, recorded);
  const fresh = { deleted: false, held: false, disabledAt: null, slot: null, sealed: null };
  return {
    known: { ...fresh, created: recorded ?? (isBack ? time : null), capacity, alike, enabled },
    since: recorded ?? since,
  };
}

/** Tells what goes with a CREATE. */
function tellWith(
  tell: Tell,
  event: MachineEventName,
  capacity: Capacity,
  time: Seconds,
  recorded: Seconds | null,
): void {
  if (recorded !== null) tell.recorded(event, capacity, recorded, 'assumed');
  else tell.assumed(event, capacity, time);
}

type SeenAlive = Seen & { readonly known: KnownMachine };

interface Resized {
  readonly known: KnownMachine;
  /** The time that was told of it; null if none was. */
  readonly at: Seconds | null;
}

function capacityChange({ machine, known, since, at, window, isRenamed }: SeenAlive, tell: Tell): Resized {
  const { capacity, alike } = machine;
  const now = { ...known, capacity, alike, held: false };
  if (isSame(capacity, known.capacity)) return { known: now, at: null };
  const held = { known: { ...known, held: true }, at: null };
  const changed = isRenamed ? machine.created : machine.capacityAt;
  const isRecorded = changed !== null && changed > since;
  if (isRecorded && (isRenamed || alike === known.alike)) {
    if (changed >= window.end) return held;
    tell.recorded('UPDATE', capacity, changed);
    return { known: now, at: changed };
  }
  const by = isRecorded && machine.capacityBy === undefined ? changed : machine.capacityBy;
  const latest = Math.max(since, Math.min(by ?? machine.changedBy ?? at, at));
  return tell.bounded('UPDATE', capacity, latest, since) ? { known: now, at: latest } : held;
}

function isSame(a: Capacity, b: Capacity): boolean {
  return (
    a.vcpus === b.vcpus && a.memoryMb === b.memoryMb && a.diskGb === b.diskGb && a.properties === b.properties
  );
}

function enabledChange(
  { machine, known, since, at, window }: SeenAlive,
  tell: Tell,
  capacityOf: (time: Seconds, isBefore: boolean) => Capacity,
): KnownMachine {
  const { enabled, disabledAt, switchedAt } = machine;
  if (enabled === null) return known;
  const now = { ...known, enabled, disabledAt };
  const held = { ...known, held: true };
  const wasSwitched = known.enabled !== null && known.enabled !== enabled;
  const isRecorded = (time: Seconds | null, from: Seconds): time is Seconds => time !== null && time > from;
  const traced = isRecorded(disabledAt, since - CLOCKS) ? disabledAt : null;

  if (!wasSwitched) {
    // Disabled before and disabled again: it was enabled in between.
    const isAgain = !enabled && traced !== null && known.disabledAt !== null && traced !== known.disabledAt;
    if (!isAgain) return now;
    if (traced >= window.end) return held;
    if (!tell.bounded('ENABLE', capacityOf(traced, true), traced, since)) return held;
    tell.recorded('DISABLE', capacityOf(traced, false), traced);
    return now;
  }
  const time = (enabled ? null : traced) ?? (isRecorded(switchedAt, since) ? switchedAt : null);
  const event = enabled ? 'ENABLE' : 'DISABLE';
  if (time === null) {
    const latest = Math.max(since, Math.min(machine.switchedBy ?? at, at));
    return tell.bounded(event, capacityOf(latest, enabled), latest, since) ? now : held;
  }
  if (time >= window.end) return held;
  tell.recorded(event, capacityOf(time, enabled), time);
  return now;
}
