import type { DropEntry } from '../../../lib/report/calendar.ts';
import { DAY, HOUR, MINUTE } from '../../../lib/core/time.ts';
import { windowKey } from '../../../lib/core/window.ts';
import { seeded } from '../nova/prng.ts';

const START = Date.UTC(2026, 9, 12) / 1000;

export function dropEntry(start: number, seconds: number, more: Partial<DropEntry> = {}): DropEntry {
  const window = { start, end: start + seconds };
  const href = `manifests/${windowKey(window)}.html`;
  return {
    window,
    events: 1,
    late: 0,
    stillOpen: 0,
    bytes: 0,
    servers: null,
    created: window.end + 45 * MINUTE,
    href,
    ...more,
  };
}

/** Six weeks of a cloud: quiet weekends, an empty day, two that are missing, some with late events. */
export function dailyDrops(): DropEntry[] {
  const random = seeded(6);
  const days = Array.from({ length: 42 }, (_, nth) => {
    const isWeekend = nth % 7 > 4;
    const events = nth === 20 ? 0 : isWeekend ? random.whole(300, 2500) : random.whole(60_000, 140_000);
    const late = random.chance(0.15) ? random.whole(1, 1400) : 0;
    const servers = 4000 + nth * 20 + random.whole(0, 200);
    const stillOpen = random.whole(20, 60);
    return dropEntry(START + nth * DAY, DAY, { events, late, stillOpen, servers, bytes: events * 67 });
  });
  return days.filter((_, nth) => nth !== 16 && nth !== 31);
}

/** Ten days in hours, the first begun at 13:00, the last not over; some hours missing, some empty. */
export function hourlyDrops(): DropEntry[] {
  const random = seeded(24);
  const hours = Array.from({ length: 10 * 24 - 13 - 8 }, (_, nth) => {
    const start = START + (13 + nth) * HOUR;
    const hour = (13 + nth) % 24;
    const events = hour < 4 && random.chance(0.4) ? 0 : random.whole(1, hour > 8 && hour < 18 ? 9000 : 700);
    return dropEntry(start, HOUR, { events, late: random.chance(0.04) ? random.whole(1, 30) : 0 });
  });
  return hours.filter((_, nth) => !(nth > 50 && nth < 54) && nth !== 100 && !(nth >= 107 && nth < 131));
}
