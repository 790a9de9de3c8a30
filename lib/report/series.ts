import { eventLabel, eventText } from './event-name.ts';
import { type Markup, markup } from './markup.ts';
import type { EventStatistics } from './statistics.ts';

/** One event, or the tail of many together. */
export interface Series extends Omit<EventStatistics, 'event'> {
  readonly name: string;
  readonly label: Markup;
}

/** The first events separately; if there are more than `most`, the rest together as the last. */
export function seriesOf(events: readonly EventStatistics[], most: number): Series[] {
  const isTooMany = events.length > most;
  const shown = isTooMany ? events.slice(0, most - 1) : events;
  const series = shown.map(({ event, ...rest }): Series => {
    const name = eventText(event);
    return { ...rest, name, label: eventLabel(name) };
  });
  if (!isTooMany) return series;
  const tail = events.slice(most - 1);
  const name = `${tail.length} other events`;
  return [...series, { ...together(tail), name, label: markup`${name}` }];
}

/** Their sums. */
export function together(events: readonly Omit<EventStatistics, 'event'>[]): Omit<EventStatistics, 'event'> {
  const sum = (of: (event: Omit<EventStatistics, 'event'>) => number): number =>
    events.reduce((total, event) => total + of(event), 0);
  const slots = events[0]?.slots ?? [];
  const durations = events[0]?.durations ?? [];
  return {
    rows: sum(({ rows }) => rows),
    late: sum(({ late }) => late),
    success: sum(({ success }) => success),
    error: sum(({ error }) => error),
    other: sum(({ other }) => other),
    slots: slots.map((_, at) => sum((event) => event.slots[at] ?? 0)),
    durations: durations.map((_, at) => sum((event) => event.durations[at] ?? 0)),
    longest: Math.max(0, ...events.map(({ longest }) => longest)),
  };
}
