import type { Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';
import { type ServerFigures, classifyServers } from '../privacy/server-classes.ts';
import type { MaskedServer } from '../tables/instances/row.ts';
import { DURATION_EDGES, durationBin } from './durations.ts';
import { instantsOf, levelsOf } from './levels.ts';
import { quantiles } from './quantiles.ts';
import { slotsOf } from './slots.ts';
import type { Spread } from './spread.ts';

/** Statistics of the servers of a drop, as plain data for JSON. */
export interface ServerStatistics {
  readonly rows: number;
  /** Distance of the instants below; the first is the window's start. */
  readonly instant: Seconds;
  /** At each instant. `alive` counts all that exist; the other two are of servers with a host, and not shelved. */
  readonly alive: readonly number[];
  readonly vcpus: readonly number[];
  readonly memoryMb: readonly number[];
  /** Length of a slot. */
  readonly step: Seconds;
  /** By slot. */
  readonly arrivals: readonly number[];
  readonly departures: readonly number[];
  /** From creation to deletion, of those that were deleted in the window. */
  readonly lifetimes: Spread;
  readonly withoutHost: number;
  readonly shelved: number;
  readonly privacy: ServerFigures;
}

export interface ServerCollector {
  add(server: MaskedServer): void;
  finish(): ServerStatistics;
}

/** Counts servers in one pass and keeps none. What `docs/trace-format.md` calls allocated is counted as such. */
export function collectServers(window: Window): ServerCollector {
  const slots = slotsOf(window);
  const instants = instantsOf(window);
  const [alive, vcpus, memoryMb] = [1, 2, 3].map(() => levelsOf(window, instants)) as [Level, Level, Level];
  const [arrivals, departures] = [new Uint32Array(slots.count), new Uint32Array(slots.count)];
  const durations = new Uint32Array(DURATION_EDGES.length);
  const lifetimes = quantiles();
  const classes = classifyServers();
  let [rows, ended, longest, withoutHost, shelved] = [0, 0, 0, 0, 0];

  const count = (into: Uint32Array, time: Seconds | null): boolean => {
    if (time === null || time < window.start || time >= window.end) return false;
    const slot = Math.floor((time - window.start) / slots.step);
    into[slot] = (into[slot] ?? 0) + 1;
    return true;
  };
  return {
    add(server) {
      rows++;
      classes.add(server);
      const { created, deleted, host, state } = server;
      alive.add(1, created, deleted);
      const isShelved = state === 'shelved_offloaded';
      if (isShelved) shelved++;
      else if (host === null || host === '') withoutHost++;
      else {
        vcpus.add(server.vcpus ?? 0, created, deleted);
        memoryMb.add(server.memoryMb ?? 0, created, deleted);
      }
      count(arrivals, created);
      if (!count(departures, deleted) || created === null || deleted === null) return;
      const lifetime = Math.max(0, deleted - created);
      const bin = durationBin(lifetime);
      durations[bin] = (durations[bin] ?? 0) + 1;
      lifetimes.add(lifetime);
      ended++;
      longest = Math.max(longest, lifetime);
    },
    finish: () => ({
      rows,
      instant: instants.step,
      alive: alive.values(),
      vcpus: vcpus.values(),
      memoryMb: memoryMb.values(),
      step: slots.step,
      arrivals: [...arrivals],
      departures: [...departures],
      lifetimes: {
        rows: ended,
        durations: [...durations],
        half: Math.min(longest, lifetimes.within(0.5)),
        most: Math.min(longest, lifetimes.within(0.95)),
        longest,
      },
      withoutHost,
      shelved,
      privacy: classes.figures(),
    }),
  };
}

type Level = ReturnType<typeof levelsOf>;
