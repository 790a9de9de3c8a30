import { parquetMetadata } from 'hyparquet';

/** Counts what is in a file while its bytes, unpacked, pass by. */
export interface RowCounter {
  add(piece: Uint8Array): void;
  /** @throws Error where the bytes are no such file */
  finish(): { readonly rows: number; readonly columns: readonly string[] };
}

/** @returns undefined for a format that this version does not know */
export function rowCounter(format: string): RowCounter | undefined {
  if (format === 'csv') return csvCounter();
  if (format === 'jsonl') return jsonLinesCounter();
  return format === 'parquet' ? parquetCounter() : undefined;
}

const [NEWLINE, QUOTE] = [0x0a, 0x22];

function csvCounter(): RowCounter {
  const lines = lineCounter(true);
  return {
    add: lines.add,
    finish: () => ({ rows: lines.count() - 1, columns: lines.first().split(',') }),
  };
}

function jsonLinesCounter(): RowCounter {
  const lines = lineCounter(false);
  return {
    add: lines.add,
    finish() {
      const rows = lines.count();
      return { rows, columns: rows === 0 ? [] : Object.keys(JSON.parse(lines.first()) as object) };
    },
  };
}

/** @param quotes whether a line may break within quotes, as in CSV */
function lineCounter(quotes: boolean): {
  readonly add: RowCounter['add'];
  readonly count: () => number;
  readonly first: () => string;
} {
  let [lines, isQuoted, last] = [0, false, NEWLINE];
  const first: Uint8Array[] = [];
  return {
    add(piece) {
      if (lines === 0) first.push(piece.slice());
      for (const byte of piece) {
        if (quotes && byte === QUOTE) isQuoted = !isQuoted;
        else if (byte === NEWLINE && !isQuoted) lines++;
        last = byte;
      }
    },
    count() {
      if (last !== NEWLINE || isQuoted) throw new Error('ends within a line');
      return lines;
    },
    first: () => Buffer.concat(first).toString('utf8').split('\n', 1)[0] ?? '',
  };
}

/** Of Parquet the end alone tells; more than this its description never takes. */
const TAIL_BYTES = 4 * 1024 * 1024;

function parquetCounter(): RowCounter {
  let tail: Uint8Array[] = [];
  let bytes = 0;
  return {
    add(piece) {
      tail.push(piece.slice());
      bytes += piece.length;
      if (bytes < 2 * TAIL_BYTES) return;
      tail = [Buffer.concat(tail).subarray(-TAIL_BYTES)];
      bytes = TAIL_BYTES;
    },
    finish() {
      const end = Buffer.concat(tail);
      const { num_rows: rows, schema } = parquetMetadata(
        end.buffer.slice(end.byteOffset, end.byteOffset + end.length),
      );
      return { rows: Number(rows), columns: schema.slice(1).map(({ name }) => name) };
    },
  };
}
