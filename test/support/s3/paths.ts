import { notImplemented } from './errors.ts';

/**
 * Where a key lies as a file: the key itself, but for the segments that a file system cannot hold. An
 * empty one becomes `%`, `.` and `..` become `%2E` and `%2E%2E`, and `%` itself `%25`, so that
 * every path is that of one key.
 */
export function keyToPath(key: string): string {
  return key.split('/').map(segmentToName).join('/');
}

export function pathToKey(path: string): string {
  return path.split('/').map(nameToSegment).join('/');
}

function segmentToName(segment: string): string {
  if (segment === '') return '%';
  if (segment === '.' || segment === '..') return segment.replaceAll('.', '%2E');
  const name = segment.replaceAll('%', '%25').replaceAll('\0', '%00');
  if (Buffer.byteLength(name) > 255) throw notImplemented('keys with a segment above 255 bytes');
  return name;
}

function nameToSegment(name: string): string {
  if (name === '%') return '';
  return name.replaceAll('%2E', '.').replaceAll('%00', '\0').replaceAll('%25', '%');
}
