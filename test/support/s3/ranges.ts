import { S3Error } from './errors.ts';

export interface ByteRange {
  start: number;
  /** Inclusive, as in HTTP. */
  end: number;
}

/**
 * The bytes a `Range` header asks for; undefined stands for the whole object, also where the header is
 * not one range of bytes, for then HTTP has it ignored. Error: 416 InvalidRange, outside the object.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  if (first === '') {
    if (Number(last) === 0 || size === 0) throw invalidRange(header, size);
    return { start: Math.max(0, size - Number(last)), end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) throw invalidRange(header, size);
  return { start, end };
}

function invalidRange(requested: string | undefined, size: number): S3Error {
  const details = { RangeRequested: requested ?? '', ActualObjectSize: String(size) };
  return new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable', details, {
    'content-range': `bytes */${size}`,
  });
}
