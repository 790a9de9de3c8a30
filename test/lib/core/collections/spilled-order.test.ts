import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { spilledOrder } from '../../../../lib/core/collections/spilled-order.ts';

interface Item {
  readonly at: number;
  readonly nth: number;
  readonly text: string | null;
}
const order = ({ at }: Item): number => at;

test('items come in order, those of the same order as they were added, whatever is held in memory', () => {
  const item = fc.record({ at: fc.nat(20), text: fc.option(fc.string({ unit: 'binary' })) });
  fc.assert(
    fc.property(
      fc.array(fc.array(item, { maxLength: 30 }), { maxLength: 5 }),
      fc.integer({ min: 1, max: 30 }),
      (parts, held) => {
        using sorted = spilledOrder<Item>(order, held);
        let count = 0;
        const all: Item[] = [];
        for (const part of parts) {
          const items = part.map((one) => ({ ...one, nth: count++ }));
          all.push(...items);
          sorted.add(items);
        }
        expect([...sorted.sorted()].flat()).toEqual(all.toSorted((a, b) => a.at - b.at));
      },
    ),
  );
});

test('a long run is read in blocks, in batches', () => {
  using sorted = spilledOrder<Item>(order, 6000);
  const text = 'é'.repeat(40);
  sorted.add(Array.from({ length: 20_000 }, (_, nth) => ({ at: (nth * 7919) % 20_011, nth, text })));
  const batches = [...sorted.sorted()];
  expect(batches.map(({ length }) => length)).toEqual(Array.from({ length: 20 }, () => 1000));
  const all = batches.flat();
  expect(all.map(order)).toEqual(all.map(order).toSorted((a, b) => a - b));
  expect(new Set(all.map(({ nth }) => nth)).size).toBe(20_000);
});

test.runIf(process.platform === 'linux')('the file has no name, and nothing can be read in it', () => {
  using sorted = spilledOrder<Item>(order, 10);
  sorted.add(Array.from({ length: 10 }, (_, nth) => ({ at: nth, nth, text: 'someone' })));
  expect(readdirSync(tmpdir()).filter((name) => /^star-compactor-[0-9a-f]{16}$/.test(name))).toEqual([]);
  const open = readdirSync('/proc/self/fd').filter((name) => {
    try {
      return /star-compactor-[0-9a-f]{16} \(deleted\)$/.test(readlinkSync(`/proc/self/fd/${name}`));
    } catch {
      return false;
    }
  });
  const contents = open.map((name) => readFileSync(`/proc/self/fd/${name}`, 'latin1'));
  expect(contents.some(({ length }) => length > 200)).toBe(true);
  for (const content of contents) expect(content).not.toContain('someone');
});
