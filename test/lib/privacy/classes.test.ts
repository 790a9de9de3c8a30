import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { countClasses } from '../../../lib/privacy/classes.ts';

test('classes and their users are counted as by sets, through every growth', () => {
  const row = fc.record({
    hour: fc.nat(40),
    kind: fc.oneof(fc.nat(20), fc.integer({ min: 2000, max: 5000 })),
    flavour: fc.nat(12),
    user: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(row, { minLength: 4000, maxLength: 6000, size: 'max' }), (rows) => {
      const counter = countClasses();
      const users = new Map<string, { rows: number; users: Set<number> }>();
      for (const { hour, kind, flavour, user } of rows) {
        counter.add(hour, kind, flavour, user);
        const key = `${hour} ${kind} ${flavour}`;
        const known = users.get(key) ?? { rows: 0, users: new Set() };
        users.set(key, { rows: known.rows + 1, users: known.users.add(user) });
      }
      const rare = [...users.values()].filter((one) => one.users.size < 5);
      expect(counter.tally()).toEqual({
        classes: users.size,
        rareClasses: rare.length,
        rareRows: rare.reduce((sum, one) => sum + one.rows, 0),
      });
    }),
    { numRuns: 10 },
  );
});

test('a class keeps its users when there are more than it was made for', () => {
  const counter = countClasses();
  for (let user = 1; user <= 5; user++) counter.add(1, 1, 1, user);
  for (let flavour = 2; flavour < 5000; flavour++) counter.add(1, 1, flavour, 1);
  counter.add(1, 1, 1, 1);
  expect(counter.tally()).toEqual({ classes: 4999, rareClasses: 4998, rareRows: 4998 });
});
