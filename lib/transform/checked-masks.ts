import { fingerprint } from '../core/collections/fingerprint.ts';
import { memoize } from '../core/collections/memoize.ts';
import { type NumberSet, numberSet } from '../core/collections/number-set.ts';
import { PrivacyError } from '../core/errors.ts';
import type { Column, Mask, Masker, Value } from '../tables/table.ts';

/** Masks of a row's own values are checked when their batch is encoded, which is within a few hundred rows. */
const RECENT = 2 ** 15;

/** Shared masks that were checked a moment ago: users, projects, hosts. */
const CHECKED = 4000;

/**
 * Knows which masks were given, so that what masked columns hold can be checked before it is written. A pattern would
 * not do: a user id of Keystone looks like a mask. Masks are kept by fingerprints of 11 to 21 bytes: those that rows
 * share for as long as the drop is written, which grows with users, projects and hosts; those of a row's own values,
 * such as a server's name, for two times {@link RECENT} masks.
 */
export interface CheckedMasks extends Pick<Masker, 'mask' | 'maskShared'> {
  /** The same columns; those that are masked throw a PrivacyError for a value that is neither a mask nor empty. */
  columns<Row>(table: string, columns: readonly Column<Row>[]): Column<Row>[];
}

export function checkMasks(mask: Mask): CheckedMasks {
  const shared = numberSet();
  let recent: NumberSet = numberSet();
  let older: NumberSet = numberSet();
  const checked = new Set<string>();
  const isMask = (value: string): boolean => {
    if (checked.has(value)) return true;
    const number = fingerprint(value);
    if (recent.has(number) || older.has(number)) return true;
    if (!shared.has(number)) return false;
    if (checked.size >= CHECKED) checked.clear();
    checked.add(value);
    return true;
  };
  const checkColumn = <Row>(table: string, column: Column<Row>): Column<Row> => {
    const { value, csv: name, part } = column;
    const check = (text: Value): Value => {
      if (text === null || text === '' || (typeof text === 'string' && isMask(text))) return text;
      throw new PrivacyError(
        `${table}: ${name}: got a value that is not a mask; accepted: masks and empty values. ` +
          'This is a fault of Star Compactor; please report it',
      );
    };
    if (part.kind !== 'object') return { ...column, value: (of, epoch) => check(value(of, epoch)) };
    // An object is written again and again, long after its masks were given: Parquet asks for every row.
    const passed = new WeakSet<object>();
    return {
      ...column,
      value(of, epoch) {
        if (passed.has(of)) return value(of, epoch);
        const text = check(value(of, epoch));
        passed.add(of);
        return text;
      },
    };
  };
  return {
    mask: ((value: string | null) => {
      const made = mask(value);
      if (made === null || made === '') return made;
      if (recent.size >= RECENT) [older, recent] = [recent, numberSet()];
      recent.add(fingerprint(made));
      return made;
    }) as Mask,
    maskShared: memoize((value) => {
      const made = mask(value);
      if (made !== null && made !== '') shared.add(fingerprint(made));
      return made;
    }),
    columns: (table, columns) =>
      columns.map((column) => (column.masked ? checkColumn(table, column) : column)),
  };
}
