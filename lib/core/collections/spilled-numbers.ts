import { type NamelessFile, openNameless } from './nameless-file.ts';
import { type NumberSet, numberSet } from './number-set.ts';

/** Numbers held in memory: 2 MiB. Reached at a million events, so that a drop of twenty million takes no more. */
const HELD = 2 ** 17;
/** Numbers read of a run at a time. */
const BLOCK = 4096;
const BYTES = Float64Array.BYTES_PER_ELEMENT;

/** Distinct whole numbers from 1 to 2^53 - 1, exact, in flat memory however many they are. */
export interface SpilledNumbers extends Disposable {
  readonly add: (number: number) => void;
  /** How many there are. Reads all that was spilled. */
  count(): number;
  /** Those of the given numbers that were added, in any order. Reads all that was spilled. */
  among(numbers: NumberSet): number[];
}

/** Sorted numbers in the file: at which byte they begin, and how many they are. */
interface Run {
  readonly from: number;
  readonly length: number;
}

/**
 * Holds numbers in memory and writes them, sorted, to a temporary file whenever there are too many. The file has no
 * name, so nothing is left of it when the process ends. It takes 8 bytes a number: 160 MB for 20 million.
 */
export function spilledNumbers(held: number = HELD): SpilledNumbers {
  const recent = numberSet();
  const runs: Run[] = [];
  let file: NamelessFile | undefined;

  const spill = (): void => {
    file ??= openNameless();
    const sorted = recent.sorted();
    runs.push({ from: file.size, length: sorted.length });
    file.append(new Uint8Array(sorted.buffer));
    recent.clear();
  };
  return {
    add(number) {
      recent.add(number);
      if (recent.size >= held) spill();
    },
    count() {
      if (file === undefined) return recent.size;
      const spilled = file;
      return countMerged([blocksOf(recent.sorted()), ...runs.map((run) => readBlocks(spilled, run))]);
    },
    among(numbers) {
      const found = numberSet();
      for (const number of numbers.values()) if (recent.has(number)) found.add(number);
      for (const run of file === undefined ? [] : runs) {
        for (const block of readBlocks(file as NamelessFile, run))
          for (const number of block) if (numbers.has(number)) found.add(number);
      }
      return [...found.values()];
    },
    [Symbol.dispose]() {
      file?.[Symbol.dispose]();
      file = undefined;
    },
  };
}

type Blocks = Generator<Float64Array<ArrayBuffer>, void, void>;

function* blocksOf(numbers: Float64Array<ArrayBuffer>): Blocks {
  if (numbers.length > 0) yield numbers;
}

/** The numbers of a run; each block is good until the next. */
function* readBlocks(file: NamelessFile, { from, length }: Run): Blocks {
  const block = new Float64Array(BLOCK);
  for (let at = 0; at < length; at += BLOCK) {
    const numbers = block.subarray(0, Math.min(BLOCK, length - at));
    file.read(new Uint8Array(block.buffer, 0, numbers.byteLength), from + at * BYTES);
    yield numbers;
  }
}

/** How many distinct numbers there are in sorted sources. */
function countMerged(sources: readonly Blocks[]): number {
  const lanes = sources.map((blocks) => ({ blocks, block: new Float64Array(), at: 0 }));
  const heads = new Float64Array(lanes.length);
  const advance = (nth: number): void => {
    const lane = lanes[nth] as (typeof lanes)[number];
    if (lane.at === lane.block.length) {
      lane.block = lane.blocks.next().value ?? new Float64Array();
      lane.at = 0;
    }
    heads[nth] = lane.block[lane.at++] ?? Infinity;
  };
  for (let nth = 0; nth < heads.length; nth++) advance(nth);
  for (let count = 0; ; count++) {
    // Some dozens of runs at most: to look at all heads is as fast as a heap.
    let least = Infinity;
    for (const head of heads) if (head < least) least = head;
    if (least === Infinity) return count;
    for (let nth = 0; nth < heads.length; nth++) if (heads[nth] === least) advance(nth);
  }
}
