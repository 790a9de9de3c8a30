import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary file without a name: nothing is left of it when the process ends. */
export interface NamelessFile extends Disposable {
  /** Adds bytes at the end. */
  append(bytes: Uint8Array): void;
  /** Fills `into` with what is there from `position` on. */
  read(into: Uint8Array, position: number): void;
  /** How many bytes it has. */
  readonly size: number;
}

export function openNameless(): NamelessFile {
  const path = join(tmpdir(), `star-compactor-${randomBytes(8).toString('hex')}`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  let size = 0;
  return {
    append(bytes) {
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
      size += bytes.length;
    },
    read(into, position) {
      for (let done = 0; done < into.length;) {
        const read = readSync(file, into, done, into.length - done, position + done);
        if (read === 0) throw new RangeError(`nothing at ${position + done} of ${size} bytes`);
        done += read;
      }
    },
    get size() {
      return size;
    },
    [Symbol.dispose]: () => closeSync(file),
  };
}
