import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinPieces } from '../../../lib/format/pieces.ts';
import { type Column, type Part, column } from '../../../lib/tables/table.ts';

interface Row {
  readonly thing: { readonly name: string };
  readonly from: number | null;
  readonly to: number | null;
  readonly text: string | null;
}

const thing: Part<Row, Row['thing']> = { of: (row) => row.thing, kind: 'object' };
const from: Part<Row, Row['from']> = { of: (row) => row.from, kind: 'number' };
const to: Part<Row, Row['to']> = { of: (row) => row.to, kind: 'number' };
const text: Part<Row, Row['text']> = { of: (row) => row.text, kind: 'text' };

const of = <V>(part: Part<Row, V>, name: string, value: (part: V) => string | number | null): Column<Row> =>
  column(part, { csv: name, jsonl: name, parquet: name, type: 'string', description: '' }, value);

const COLUMNS = [
  of(from, 'from', (value) => value),
  of(thing, 'first', ({ name }) => name),
  of(text, 'text', (value) => value),
  of(to, 'to', (value) => value),
  of(thing, 'second', ({ name }) => `${name}!`),
  of(thing, 'third', ({ name }) => name.length),
];

test('lines of remembered pieces are those that are rendered from scratch', () => {
  // 4096 apart, so that one takes the place of the other.
  const number = fc.constantFrom(null, 0, 1, 2, 4096, 4097, 8193);
  const rows = fc.array(
    fc.record({
      thing: fc.constantFrom({ name: 'a' }, { name: 'bc' }),
      from: number,
      to: number,
      text: fc.constantFrom(null, '', 'x'),
    }),
  );
  // The same function for both numbers, as for lines that do not name their columns.
  const ofNumber = (value: number | null): string => `<${value}>`;
  const render = (runs: readonly Column<Row>[]): ((part: never) => string) =>
    runs[0]?.part.kind === 'number'
      ? ofNumber
      : (part) => runs.map(({ value }) => `<${value(part, 0)}>`).join('');
  fc.assert(
    fc.property(rows, rows, (some, more) => {
      const join = joinPieces(COLUMNS, (run) => render(run.columns));
      const scratch = (all: readonly Row[]): string =>
        all
          .flatMap((row) => COLUMNS.map(({ part, value }) => `<${value(part.of(row) as never, 0)}>`))
          .join('');
      expect(join(some) + join(more)).toBe(scratch([...some, ...more]));
    }),
  );
});
