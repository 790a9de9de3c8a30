/** Times are whole seconds since 1970-01-01T00:00:00Z everywhere inside; text only at the edges. */
export type Seconds = number;

export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86_400;

/** Start of the published Chameleon traces, and so the default zero of START_SEC. */
export const DEFAULT_EPOCH = '2015-09-06T23:31:16Z';

const INSTANT = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * Reads an ISO 8601 date or instant; without a zone it is UTC, a fraction of a second is dropped. Undefined for
 * anything else, such as the 30th of February.
 */
export function parseInstant(text: string): Seconds | undefined {
  const match = INSTANT.exec(text);
  if (match === null) return undefined;
  const [, date, clock = '00:00:00', zone = 'Z'] = match;
  const day = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== date) return undefined;
  const milliseconds = Date.parse(`${date}T${clock}${zone}`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}

/** `2026-11-22T00:00:00Z` */
export function iso(time: Seconds): string {
  return `${new Date(time * 1000).toISOString().slice(0, 19)}Z`;
}

/** `20261122T000000Z`, the form used in object keys: it sorts by time and needs no escaping. */
export function compactIso(time: Seconds): string {
  return iso(time).replace(/[-:]/g, '');
}

/** Reads what `compactIso` writes. */
export function parseCompact(text: string): Seconds | undefined {
  const [, date = '', time = ''] = /^(\d{8})T(\d{6})Z$/.exec(text) ?? [];
  const dashed = date.replace(/^(....)(..)/, '$1-$2-');
  return parseInstant(`${dashed}T${time.replace(/^(..)(..)/, '$1:$2:')}Z`);
}

/** `2026-11-22` */
export function isoDate(time: Seconds): string {
  return iso(time).slice(0, 10);
}
