import type { Transform } from 'node:stream';
import type { Seconds } from '../core/time.ts';

/** The version that a write must find, or `absent` where there must be no object yet. */
export type Expected = { readonly version: string } | 'absent';

export interface Stored {
  readonly text: string;
  /** The text as JSON; undefined where it is none. */
  json(): unknown;
  /** Tells this content from any other: S3's ETag, the SHA-256 of a file. */
  readonly version: string;
}

export interface Listed {
  readonly key: string;
  readonly bytes: number;
  /** Changes whenever the object does. Costs nothing to list, and is no version. */
  readonly tag: string;
  readonly modified: Seconds;
}

/** An object to be written. */
export interface Target {
  readonly key: string;
  readonly contentType: string;
  readonly expected: Expected;
}

/** An object that is being written. It becomes visible, whole, when `finish` returns, or never. */
export interface OpenObject {
  /** Takes the next piece; returns once there is room for more, so that memory stays flat. */
  write(piece: string | Uint8Array): Promise<void>;
  /** @returns undefined where the object was not what was expected, and is left as it is */
  finish(): Promise<ObjectSummary | undefined>;
  /** Drops what was written so far, parts already uploaded included. Without effect once finished. */
  abort(): Promise<void>;
}

export interface ObjectSummary {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Where drops go: a bucket or a folder. One contract suite holds for both. Failures are StoreErrors that name the
 * object; an abort of the signal is thrown as it is.
 */
export interface Store {
  /** What it is called in messages: `s3://traces`, `/var/lib/traces`. */
  readonly name: string;
  /** An object's text and version; undefined where there is none. */
  readText(key: string, signal: AbortSignal): Promise<Stored | undefined>;
  /** An object's bytes, piece by piece; undefined where there is none. */
  read(key: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** An object's version as a write's condition. */
  expectedNow(key: string, signal: AbortSignal): Promise<Expected>;
  /** The objects whose keys begin with `prefix`, from the first one after `after` on, in order of their keys. */
  list(prefix: string, after: string, signal: AbortSignal): AsyncGenerator<Listed, void, void>;
  /**
   * Writes an object if it still is what was expected (compare-and-swap).
   *
   * @returns the new version, or undefined where another writer was first
   */
  writeText(
    key: string,
    text: string,
    expected: Expected,
    signal: AbortSignal,
    contentType?: string,
  ): Promise<string | undefined>;
  /** Writes an object while it is made: compressed, hashed, and visible only when it is whole and was as expected. */
  open(target: Target, compressor: Transform, signal: AbortSignal): OpenObject;
  /** Removes an object, if it is there. Without a condition: a conditional deletion is not atomic on every store. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  /** What time it is at the store; null if untold. The key need not be there. */
  clock(key: string, signal: AbortSignal): Promise<Seconds | null>;
  /**
   * Tries the compare-and-swap that publication leans on, at a key that nobody else uses, and leaves nothing there.
   *
   * @returns what the store does not do; nothing where all is well
   */
  probe(key: string, signal: AbortSignal): Promise<readonly string[]>;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
