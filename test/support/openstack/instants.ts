import { type Seconds, iso } from '../../../lib/core/time.ts';

/** `2026-11-25T01:34:31.000000Z`, as Keystone writes times. */
export function isoMicroseconds(time: Seconds): string {
  return iso(time).replace('Z', '.000000Z');
}

/** A DATETIME as Nova shows the times of actions: no zone, and a fraction that is always zero. */
export function actionTime(sql: unknown): string | null {
  return typeof sql === 'string' ? `${sql.replace(' ', 'T')}.000000` : null;
}

/** As it shows those of servers; NULL is the time of the request (`utils.isotime(None)`, nova/utils.py). */
export function serverTime(sql: unknown, now: Seconds): string {
  return typeof sql === 'string' ? `${sql.replace(' ', 'T')}Z` : iso(now);
}

/** Those of the `iso8601` module, which oslo.utils' `parse_isotime` calls. */
const ISO8601 =
  /^(\d{4})(?:(?:-(\d{1,2})|(\d\d)(?!$))(?:(?:-(\d{1,2})|(\d\d))(?:[ T](\d\d)(?::?(\d\d))?(?::?(\d{1,2})(?:[.,](\d+))?)?(Z|[+-]\d\d:?(?:\d\d)?)?)?)?)?$/;

/** Reads a time of a query; gives a DATETIME in UTC with what fraction it had. Undefined where Nova answers 400. */
export function queryTime(text: string): string | undefined {
  const match = ISO8601.exec(text);
  if (match === null) return undefined;
  const [
    ,
    year = '',
    dashedMonth,
    month,
    dashedDay,
    day,
    hour = '0',
    minute = '0',
    second = '0',
    fraction,
    zone,
  ] = match;
  const parts = [Number(year), Number(month ?? dashedMonth ?? 1) - 1, Number(day ?? dashedDay ?? 1)] as const;
  const time = Date.UTC(...parts, Number(hour), Number(minute), Number(second));
  const back = new Date(Date.UTC(...parts));
  if (back.getUTCMonth() !== parts[1] || back.getUTCDate() !== parts[2]) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const utc = new Date(time - offsetMinutes(zone) * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  return fraction === undefined ? utc : `${utc}.${fraction.slice(0, 6)}`;
}

function offsetMinutes(zone = 'Z'): number {
  if (zone === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return zone.startsWith('-') ? -minutes : minutes;
}
