import { DAY, MINUTE, type Seconds, isoDate } from '../core/time.ts';

/**
 * `2026-11-22T08:15:00`, ISO 8601 in UTC without a zone. A trace has a handful of days, 1,440 minutes of day and 60
 * seconds of a minute, so all are made once: this is 5 times cheaper than `Date`.
 */
export function createClock(): (time: Seconds) => string {
  const days = new Map<number, string>();
  return (time) => {
    const day = Math.floor(time / DAY);
    let date = days.get(day);
    if (date === undefined) days.set(day, (date = `${isoDate(time)}T`));
    const second = time - day * DAY;
    return `${date}${MINUTES[Math.floor(second / MINUTE)]}${TWO_DIGITS[second % MINUTE]}`;
  };
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
/** `08:15:` */
const MINUTES = Array.from({ length: DAY / MINUTE }, (_, minute) =>
  [TWO_DIGITS[Math.floor(minute / 60)], TWO_DIGITS[minute % 60], ''].join(':'),
);
