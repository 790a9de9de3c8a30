import { fingerprint } from '../core/collections/fingerprint.ts';
import { numberSet } from '../core/collections/number-set.ts';
import { PrivacyError } from '../core/errors.ts';
import type { Column, Mask, Value } from '../tables/table.ts';

/** Strings that were checked a moment ago; they come by again in every format and, in Parquet, in every row. */
const REMEMBERED = 20_000;

/**
 * Remembers which masks were given, so that what masked columns hold can be checked before it is written. A pattern
 * would not do: a user id of Keystone looks like a mask. A fingerprint of each mask is kept, 11 to 21 bytes.
 */
export interface CheckedMasks {
  /** Gives masks and remembers them. */
  readonly mask: Mask;
  /** The same columns; those that are masked throw a PrivacyError for a value that is neither a mask nor empty. */
  columns<Row>(table: string, columns: readonly Column<Row>[]): Column<Row>[];
}

export function checkMasks(mask: Mask): CheckedMasks {
  const given = numberSet();
  const checked = new Set<string>();
  const isMask = (value: string): boolean => {
    if (checked.has(value)) return true;
    if (!given.has(fingerprint(value))) return false;
    if (checked.size >= REMEMBERED) checked.clear();
    checked.add(value);
    return true;
  };
  const checkColumn = <Row>(table: string, column: Column<Row>): Column<Row> => {
    const { value, csv: name } = column;
    return {
      ...column,
      value(part, epoch): Value {
        const text = value(part, epoch);
        if (text === null || text === '' || (typeof text === 'string' && isMask(text))) return text;
        throw new PrivacyError(
          `${table}: ${name}: got a value that is no mask; accepted: masks and empty values. ` +
            'This is a fault of Star Compactor; please report it',
        );
      },
    };
  };
  return {
    mask: ((value: string | null) => {
      const made = mask(value);
      if (made !== null && made !== '') given.add(fingerprint(made));
      return made;
    }) as Mask,
    columns: (table, columns) =>
      columns.map((column) => (column.masked ? checkColumn(table, column) : column)),
  };
}
