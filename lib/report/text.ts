import { DAY, HOUR, MINUTE, type Seconds, iso } from '../core/time.ts';
import type { Window } from '../core/window.ts';

const NUMBERS = new Intl.NumberFormat('en-GB');
const DATES = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
});
const SHORT_DATES = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' });
const MONTHS = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });
const WEEKDAYS = new Intl.DateTimeFormat('en-GB', { weekday: 'long', timeZone: 'UTC' });

/** Keeps a number and its unit on one line. */
export const NBSP = '\u00a0';

/** `1,234,567` */
export function count(n: number): string {
  return NUMBERS.format(n);
}

/** `1 event`, `1,234 events` */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** At most four characters: `987`, `9.9k`, `12k`, `4M`. */
export function compact(n: number): string {
  for (const [unit, size] of [
    ['M', 1_000_000],
    ['k', 1000],
  ] as const) {
    // A number that rounds up to the next unit is written in that unit.
    if (n < size * 0.9995) continue;
    const value = n / size;
    return `${value < 9.95 ? Math.round(value * 10) / 10 : Math.round(value)}${unit}`;
  }
  return String(n);
}

/** `3.4%`. A share above 0 is never shown as 0%, and one below 1 never as 100%. */
export function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0%';
  const share = (part / whole) * 100;
  if (share < 0.1) return '< 0.1%';
  if (part < whole && share > 99.9) return '> 99.9%';
  return share === 100 ? '100%' : `${share.toFixed(1)}%`;
}

/** `987 bytes`, `1.2 MiB` */
export function bytesText(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, -1];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return unit === -1 ? counted(bytes, 'byte') : `${value.toFixed(1)} ${units[unit]}`;
}

/** `2,048 MiB`, `4 GiB`, `1.5 TiB` */
export function memoryText(mebibytes: number): string {
  if (mebibytes < 1024 || (mebibytes < 10_240 && mebibytes % 512 !== 0)) return `${count(mebibytes)} MiB`;
  if (mebibytes < 10 * 2 ** 20) return `${count(rounded(mebibytes / 2 ** 10))} GiB`;
  return mebibytes < 10 * 2 ** 30
    ? `${count(rounded(mebibytes / 2 ** 20))} TiB`
    : `${count(rounded(mebibytes / 2 ** 30))} PiB`;
}

function rounded(value: number): number {
  return value < 100 ? Math.round(value * 10) / 10 : Math.round(value);
}

/** The unit in which amounts of memory up to this one are numbers of two to four digits. */
export function memoryScale(mebibytes: number): { readonly unit: string; readonly mebibytes: number } {
  const units = [
    { unit: 'MiB', mebibytes: 1 },
    { unit: 'GiB', mebibytes: 2 ** 10 },
    { unit: 'TiB', mebibytes: 2 ** 20 },
    { unit: 'PiB', mebibytes: 2 ** 30 },
  ] as const;
  return units.findLast((scale) => mebibytes >= 10 * scale.mebibytes) ?? units[0];
}

/** `0 s`, `3 min 20 s`, `2 h 5 min`, `3 d`: the two largest units. */
export function durationText(seconds: Seconds): string {
  const parts: [amount: number, unit: string][] = [
    [Math.floor(seconds / DAY), 'd'],
    [Math.floor((seconds % DAY) / HOUR), 'h'],
    [Math.floor((seconds % HOUR) / MINUTE), 'min'],
    [seconds % MINUTE, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first === -1) return `0${NBSP}s`;
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${NBSP}${unit}`)
    .join(NBSP);
}

/** `13:05`, or `13:05:07` off the minute. */
export function clockText(time: Seconds): string {
  const text = iso(time).slice(11, 19);
  return text.endsWith(':00') ? text.slice(0, 5) : text;
}

/** As `clockText`, but the end of a day is not the start of the next. */
export function endClockText(time: Seconds): string {
  return time % DAY === 0 ? '24:00' : clockText(time);
}

/** `22 November 2026` */
export function dateText(time: Seconds): string {
  return DATES.format(time * 1000);
}

/** `22 Nov 2026` */
export function shortDateText(time: Seconds): string {
  return SHORT_DATES.format(time * 1000);
}

/** `November 2026` */
export function monthText(time: Seconds): string {
  return MONTHS.format(time * 1000);
}

/** `Sunday` */
export function weekdayText(time: Seconds): string {
  return WEEKDAYS.format(time * 1000);
}

/** `2026-11-22 13:05:07` */
export function instantText(time: Seconds): string {
  return iso(time).slice(0, 19).replace('T', ' ');
}

/** `22 November 2026`, or `22 November 2026, 13:00 to 14:00` where the window is not the day. */
export function windowTitle({ start, end }: Window): string {
  const isDay = start % DAY === 0 && end - start === DAY;
  return isDay ? dateText(start) : `${dateText(start)}, ${clockText(start)} to ${endClockText(end)}`;
}
