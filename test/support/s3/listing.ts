import type { StoredObject } from './store.ts';

export interface ListRequest {
  prefix: string;
  delimiter: string;
  maxKeys: number;
  /** Keys up to and including this one are left out. */
  after: string;
}

export interface Listing {
  objects: StoredObject[];
  commonPrefixes: string[];
  /** Where the next page begins, if there is one: the last key or common prefix of this page. */
  next?: string;
}

/**
 * One page of the keys of a bucket, in the binary order of their UTF-8.
 * Source: ListObjectsV2, Amazon S3 API reference; common prefixes count as keys.
 */
export function listPage(objects: Iterable<StoredObject>, request: ListRequest): Listing {
  const page: Listing = { objects: [], commonPrefixes: [] };
  if (request.maxKeys === 0) return page;
  let last = '';
  let rolledUp = continuedPrefix(request);
  for (const object of sorted(objects, request)) {
    if (rolledUp !== undefined && object.key.startsWith(rolledUp)) continue;
    if (page.objects.length + page.commonPrefixes.length === request.maxKeys) return { ...page, next: last };
    rolledUp = commonPrefix(object.key, request);
    last = rolledUp ?? object.key;
    if (rolledUp === undefined) page.objects.push(object);
    else page.commonPrefixes.push(rolledUp);
  }
  return page;
}

/** Keys as `encoding-type=url` has them: a slash stays, a space becomes a plus. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
    .replace(/[!'()]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function sorted(objects: Iterable<StoredObject>, { prefix, after }: ListRequest): StoredObject[] {
  return [...objects]
    .filter(({ key }) => key.startsWith(prefix) && compareUtf8(key, after) > 0)
    .toSorted((a, b) => compareUtf8(a.key, b.key));
}

function commonPrefix(key: string, { prefix, delimiter }: ListRequest): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** A page that ended on a common prefix must not begin the next one with it. */
function continuedPrefix(request: ListRequest): string | undefined {
  return commonPrefix(request.after, request) === request.after ? request.after : undefined;
}
