import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { inGroups } from '../../../lib/core/collections/in-groups.ts';
import { parseInstant } from '../../../lib/core/time.ts';
import { csv } from '../../../lib/format/csv.ts';
import type { Format } from '../../../lib/format/format.ts';
import { jsonLines } from '../../../lib/format/json-lines.ts';
import { parquet } from '../../../lib/format/parquet.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import { createMask } from '../../../lib/transform/mask.ts';
import { openTransform } from '../../../lib/transform/transform.ts';
import { busyDay } from '../../support/report/days.ts';

/*
 * What makes files faster must not change them. These are the hashes of a day of 22,800 events under a known secret; a
 * new one is right only where the format itself was meant to change. That of Parquet also depends on the Zstandard
 * library in Node.js.
 */
const SHA256: readonly [what: string, format: Format, sha256: string][] = [
  ['CSV 0.2', csv('0.2'), 'eb8b7ce3e0e884a12e24ee1dfcedc10be63494e8f0ff34ae4dca1caf2348591b'],
  ['CSV 0.3', csv('0.3'), 'fce43e3f3590e6d972e9c0ab04fe323795c3847e310b9aea55a7ded8d182dc37'],
  ['JSON lines', jsonLines, '155c2adf93300d212862d96f2789b1a382435f604b3a34fbb6cd956fdd592889'],
  ['Parquet', parquet, '29cb2e86510886f8a17f8524ef955fb254fcda932f29821d565f8b01449ad7d1'],
];

const epoch = parseInstant('2015-09-06T23:31:16Z') ?? 0;
const { events } = busyDay(parseInstant('2026-11-20T00:00:00Z') ?? 0, 3);

describe('with the same secret, a day has the same bytes as ever', () => {
  test.each(SHA256)('%s', (_, format, expected) => {
    using transform = openTransform(
      instanceEvents,
      { hostFrom: 'event', excludeUsers: new Set(), excludeProjects: new Set() },
      createMask('sha2-salted', Buffer.alloc(32, 1)),
    );
    const encoder = format.encoder({ name: instanceEvents.name, columns: transform.columns }, epoch);
    const sha256 = createHash('sha256').update(encoder.head);
    for (const some of inGroups(events, 250)) sha256.update(encoder.rows(transform.apply(some)));
    expect(sha256.update(encoder.tail()).digest('hex')).toBe(expected);
  });
});
