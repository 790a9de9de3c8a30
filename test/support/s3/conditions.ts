import type { IncomingHttpHeaders } from 'node:http';
import type { Ceph } from './ceph.ts';
import {
  S3Error,
  concurrentModification,
  conditionalConflict,
  noSuchKey,
  notImplemented,
  preconditionFailed,
} from './errors.ts';
import { unquoted } from './headers.ts';
import type { StoredObject } from './store.ts';

/** A conditional write that is under way; `overtaken` once the object it may count on was deleted. */
interface Claim {
  overtaken: boolean;
}

/** The conditional writes under way, by bucket and key. */
export type Claims = Map<string, Claim>;

interface Write {
  claims: Claims;
  ceph: Ceph | undefined;
  ignored: readonly string[];
  operation: string;
  bucket: string;
  key: string;
  headers: IncomingHttpHeaders;
  /** The object as it is now. */
  current: () => StoredObject | undefined;
}

/**
 * Runs a write under its `If-None-Match: *` or `If-Match`. The condition is checked at once, and again by
 * `confirm`, which the write calls in the same step in which it takes effect.
 *
 * Errors: 412 where the condition does not hold; 404 where `If-Match` finds no object; 409
 * ConditionalRequestConflict while another conditional write of the key is under way, and where the
 * object is deleted meanwhile. Source: "How to prevent object overwrites with conditional writes", S3 user
 * guide. S3 itself may also let both writes run and tell the later one 412.
 */
export async function writeUnderCondition<T>(
  write: Write,
  run: (confirm: () => void) => Promise<T>,
): Promise<T> {
  const name = conditionOf(write.headers);
  // Many servers store a write and do not look at its condition.
  if (!name || write.ignored.includes(`${name} on ${write.operation}`)) return run(() => undefined);
  checkWrite(write);
  if (write.ceph) return writeLikeCeph(write, write.ceph, run);
  const id = claimId(write.bucket, write.key);
  if (write.claims.has(id)) throw conditionalConflict(name, write.key);
  const claim = { overtaken: false };
  write.claims.set(id, claim);
  try {
    return await run(() => {
      if (claim.overtaken) throw conditionalConflict(name, write.key);
      checkWrite(write);
    });
  } finally {
    write.claims.delete(id);
  }
}

/** Ceph lets all writes of a key run; a later one that finds another object at the end may be told 409 instead of 412. */
async function writeLikeCeph<T>(
  write: Write,
  ceph: Ceph,
  run: (confirm: () => void) => Promise<T>,
): Promise<T> {
  await ceph.dawdle();
  return run(() => {
    try {
      checkWrite(write);
    } catch (error) {
      throw error instanceof S3Error && ceph.tellsConflict() ? concurrentModification(write.key) : error;
    }
  });
}

/** The `If-Match` of a deletion. Source: "How to perform conditional deletes", S3 user guide. */
export function checkDelete(
  object: StoredObject | undefined,
  key: string,
  headers: IncomingHttpHeaders,
): void {
  const ifMatch = headers['if-match'];
  if (ifMatch === undefined || ifMatch === '*') return;
  if (!object) throw noSuchKey(key);
  if (unquoted(ifMatch) !== object.etag) throw preconditionFailed('If-Match');
}

export function noteDeletion(claims: Claims, bucket: string, key: string): void {
  const claim = claims.get(claimId(bucket, key));
  if (claim) claim.overtaken = true;
}

/**
 * Checks the four conditions of a read, in the order of RFC 9110, section 13.2.2.
 * Answers whether the client already has the object (304). Error: 412.
 */
export function isNotModified(object: StoredObject, headers: IncomingHttpHeaders): boolean {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, object.etag)) throw preconditionFailed('If-Match');
  } else if (object.lastModified > time(headers['if-unmodified-since'])) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, object.etag);
  return object.lastModified <= time(headers['if-modified-since']);
}

function conditionOf(headers: IncomingHttpHeaders): string | undefined {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw notImplemented('If-None-Match other than "*"');
  if (ifMatch === '*') throw notImplemented('If-Match: *');
  if (ifMatch !== undefined && ifNoneMatch !== undefined) throw notImplemented('two conditions at once');
  return ifMatch !== undefined ? 'If-Match' : ifNoneMatch !== undefined ? 'If-None-Match' : undefined;
}

function checkWrite({ headers, key, current }: Write): void {
  const object = current();
  if (headers['if-none-match'] !== undefined && object) throw preconditionFailed('If-None-Match');
  const ifMatch = headers['if-match'];
  if (ifMatch === undefined) return;
  if (!object) throw noSuchKey(key);
  if (unquoted(ifMatch) !== object.etag) throw preconditionFailed('If-Match');
}

function matches(list: string, etag: string): boolean {
  return list.split(',').some((item) => item.trim() === '*' || unquoted(item) === etag);
}

/** Not a number, and so without effect, where the header is absent or is not a date. */
function time(header: string | undefined): number {
  return Date.parse(header ?? '');
}

function claimId(bucket: string, key: string): string {
  return `${bucket}/${key}`;
}
