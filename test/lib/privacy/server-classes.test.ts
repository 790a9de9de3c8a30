import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY } from '../../../lib/core/time.ts';
import { classifyServers } from '../../../lib/privacy/server-classes.ts';
import type { MaskedServer } from '../../../lib/tables/instances/row.ts';
import { maskedServer } from '../../support/masked.ts';

const START = Date.UTC(2026, 10, 22) / 1000;
const figuresOf = (servers: readonly MaskedServer[]) => {
  const classifier = classifyServers();
  for (const server of servers) classifier.add(server);
  return classifier.figures();
};

describe('the classes of servers', () => {
  test('agree with a recount by sets, whatever comes', () => {
    const server = fc.record({
      created: fc.option(fc.integer({ min: START - 3 * DAY, max: START })),
      userId: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', '', null),
      vcpus: fc.constantFrom(1, 2, null),
    });
    fc.assert(
      fc.property(fc.array(server, { maxLength: 200 }), (specs) => {
        const classes = Map.groupBy(
          specs,
          ({ created, vcpus }) => `${created === null ? 'never' : Math.floor(created / DAY)} ${vcpus}`,
        );
        const rare = [...classes.values()].filter(
          (of) => new Set(of.map(({ userId }) => userId ?? '')).size < 5,
        );
        const rareRows = rare.flat().length;
        expect(figuresOf(specs.map(maskedServer))).toEqual({
          by: ['flavour', 'dayCreated'],
          count: classes.size,
          fewerThanUsers: 5,
          rare: rare.length,
          rareRows,
          rareShare: specs.length === 0 ? 0 : rareRows / specs.length,
        });
      }),
    );
  });

  test('are of the day of creation, not of its second', () => {
    const users = ['a', 'b', 'c', 'd', 'e'].map((userId, nth) =>
      maskedServer({ userId, created: START - DAY + nth * 9000 }),
    );
    expect(figuresOf(users)).toMatchObject({ count: 1, rare: 0 });
    expect(figuresOf([...users, maskedServer({ created: START })])).toMatchObject({ count: 2, rareRows: 1 });
  });
});
