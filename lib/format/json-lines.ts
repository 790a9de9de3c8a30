import type { Column, Value } from '../tables/table.ts';
import { createClock } from './clock.ts';
import type { Format } from './format.ts';
import { joinPieces } from './pieces.ts';

/** One JSON object a line; times with `Z`, what is unknown is null. */
export const jsonLines: Format = {
  name: 'jsonl',
  version: '0.2',
  columns: (columns) => columns.map(({ jsonl }) => jsonl),
  encoder(table, epoch) {
    const clock = createClock();
    const json = (value: Value, { type }: Pick<Column<never>, 'type'>): string =>
      type === 'timestamp' && value !== null ? `"${clock(value as number)}Z"` : JSON.stringify(value);
    return {
      head: '',
      rows: joinPieces(table.columns, ({ columns, isFirst, isLast }) => {
        const named = columns.map((column) => ({ name: `${JSON.stringify(column.jsonl)}:`, column }));
        const [begin, end] = [isFirst ? '{' : '', isLast ? '}\n' : ','];
        return (part) => {
          const pairs = named.map(({ name, column }) => name + json(column.value(part, epoch), column));
          return [begin, pairs.join(','), end].join('');
        };
      }),
      tail: () => '',
    };
  },
};
