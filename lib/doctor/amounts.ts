import { DAY, HOUR, MINUTE, type Seconds } from '../core/time.ts';

/** `0.04 s`, `12 s`, `10 min`, `3 h`, `40 days`: two figures are enough to judge by. */
export function duration(seconds: number): string {
  const size = Math.abs(seconds);
  if (size < 10) return `${Number(size.toPrecision(2))} s`;
  if (size < 3 * MINUTE) return `${Math.round(size)} s`;
  if (size < 3 * HOUR) return `${Math.round(size / MINUTE)} min`;
  if (size < 3 * DAY) return `${Math.round(size / HOUR)} h`;
  return `${Math.round(size / DAY)} days`;
}

/** `1,234,567` */
export function amount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 server`, `2 servers` */
export function counted(count: number, noun: string): string {
  return `${amount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export function now(): Seconds {
  return Date.now() / 1000;
}
