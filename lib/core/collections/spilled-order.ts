import { type Decipheriv, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { inGroups } from './in-groups.ts';
import { type NamelessFile, openNameless } from './nameless-file.ts';

/** Bytes read of a run at a time. */
const BLOCK = 64 * 1024;
const CIPHER = 'aes-256-ctr';
/** Items written, and given back, at a time. */
const BATCH = 1000;
const NEWLINE = 10;

/** Sorts any number of items in flat memory. */
export interface SpilledOrder<T> extends Disposable {
  add(items: readonly T[]): void;
  /** All of them in order, some at a time; items of the same order as they were added. To be asked once. */
  sorted(): Generator<T[], void, void>;
}

/** Sorted items in the file. */
interface Run {
  readonly from: number;
  readonly bytes: number;
  readonly iv: Buffer;
}

/**
 * Holds items in memory and writes them, sorted, as JSON to a temporary file whenever there are too many. The file has no
 * name, and is encrypted by a key that only this process has: items may name people.
 *
 * @param held how many items stay in memory
 */
export function spilledOrder<T>(order: (item: T) => number, held: number): SpilledOrder<T> {
  const key = randomBytes(32);
  const runs: Run[] = [];
  let recent: T[] = [];
  let file: NamelessFile | undefined;

  const sortRecent = (): T[] => recent.toSorted((a, b) => order(a) - order(b));
  const spill = (): void => {
    file ??= openNameless();
    const from = file.size;
    const iv = randomBytes(16);
    const cipher = createCipheriv(CIPHER, key, iv);
    for (const some of inGroups(sortRecent(), BATCH)) {
      file.append(cipher.update(some.map((item) => `${JSON.stringify(item)}\n`).join(''), 'utf8'));
    }
    runs.push({ from, bytes: file.size - from, iv });
    recent = [];
  };
  return {
    add(items) {
      for (const item of items) {
        recent.push(item);
        if (recent.length >= held) spill();
      }
    },
    *sorted() {
      const spilled = file;
      const sources = spilled === undefined ? [] : runs.map((run) => readRun<T>(spilled, run, key));
      // What was added last comes last of what has the same order.
      yield* merged([...sources, sortRecent().values()], order);
    },
    [Symbol.dispose]() {
      key.fill(0);
      file?.[Symbol.dispose]();
      file = undefined;
    },
  };
}

function* readRun<T>(file: NamelessFile, { from, bytes, iv }: Run, key: Buffer): Generator<T, void, void> {
  const decipher: Decipheriv = createDecipheriv(CIPHER, key, iv);
  let rest = Buffer.alloc(0);
  for (let at = 0; at < bytes; at += BLOCK) {
    const block = Buffer.alloc(Math.min(BLOCK, bytes - at));
    file.read(block, from + at);
    rest = Buffer.concat([rest, decipher.update(block)]);
    let start = 0;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, start)) {
      yield JSON.parse(rest.toString('utf8', start, end)) as T;
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
}

function* merged<T>(
  sources: readonly Iterator<T, unknown, void>[],
  order: (item: T) => number,
): Generator<T[], void, void> {
  const heads = sources.map((source) => source.next());
  let batch: T[] = [];
  for (;;) {
    let least: number | undefined;
    let leastOrder = Infinity;
    for (const [nth, head] of heads.entries()) {
      if (head.done === true || (least !== undefined && order(head.value) >= leastOrder)) continue;
      least = nth;
      leastOrder = order(head.value);
    }
    if (least === undefined) break;
    batch.push((heads[least] as IteratorYieldResult<T>).value);
    heads[least] = (sources[least] as Iterator<T, unknown, void>).next();
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
