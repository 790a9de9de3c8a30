import type { NovaCall } from './nova.ts';
import { lastOf } from './query-schema.ts';

/** Never more than `max_limit`, whatever is asked for (`get_limit_and_marker` in nova/api/openstack/common.py). */
export function limitOf({ cloud }: NovaCall, params: URLSearchParams): number {
  const asked = lastOf(params, 'limit');
  return asked === undefined ? cloud.maxLimit : Math.min(Number(asked), cloud.maxLimit);
}

/**
 * The link to the next page, where this one is full, even if there is nothing more (`_get_collection_links` in
 * nova/api/openstack/common.py). It repeats the query, sorted, as far as Nova understood it.
 */
export function nextLink(
  call: NovaCall,
  params: URLSearchParams,
  path: string,
  ids: readonly string[],
): { rel: 'next'; href: string }[] {
  const limit = limitOf(call, params);
  const last = ids.at(-1);
  if (last === undefined || limit !== ids.length) return [];
  const query = new Map([...params].toSorted(byText));
  query.set('marker', last);
  return [{ rel: 'next', href: `${call.base}/${path}?${new URLSearchParams([...query]).toString()}` }];
}

function byText([a, x]: [string, string], [b, y]: [string, string]): number {
  return a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1;
}
