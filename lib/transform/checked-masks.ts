import { fingerprint } from '../core/collections/fingerprint.ts';
import { memoize } from '../core/collections/memoize.ts';
import { onceForEach } from '../core/collections/once-for-each.ts';
import { type NumberSet, numberSet } from '../core/collections/number-set.ts';
import { PrivacyError } from '../core/errors.ts';
import type { Column, Mask, Masked, Masker, Value } from '../tables/table.ts';

/** Masks of a row's own values are checked when their batch is encoded, which is within a few hundred rows. */
const RECENT = 2 ** 15;

/** The column that may hold a rank in place of a mask. */
const RACK = 'RACK';

/** A mask does not depend on the epoch of the trace. */
const ANY_EPOCH = 0;

/** Shared masks that were checked a moment ago: users, projects, hosts. */
const CHECKED = 4000;

/**
 * Knows which masks were given, so that what masked columns hold can be checked before it is written. A pattern would
 * not do: a user id of Keystone looks like a mask. Masks are kept by fingerprints of 11 to 21 bytes: those that rows
 * share for as long as the drop is written, which grows with users, projects and hosts; those of a row's own values,
 * such as a server's name, for two times {@link RECENT} masks.
 */
export interface CheckedMasks extends Pick<Masker, 'mask' | 'maskShared' | 'maskRack'> {
  /** The same columns; those that are masked throw a PrivacyError for a value that is neither a mask nor empty. */
  columns<Row>(table: string, columns: readonly Column<Row>[]): Column<Row>[];
}

/** @param racks of a release: masks of its racks, in order of the racks' names */
export function checkMasks(mask: Mask, racks: readonly string[] = []): CheckedMasks {
  const shared = numberSet();
  const ranks = new Map(racks.map((rack, rank) => [rack, String(rank) as Masked]));
  const written = new Set<string>(ranks.values());
  const share = (made: Masked | null): Masked | null => {
    if (made !== null && made !== '') shared.add(fingerprint(made));
    return made;
  };
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
  const check = (
    table: string,
    { csv: name, list }: Pick<Column<never>, 'csv' | 'list'>,
    text: Value,
  ): Value => {
    if (text === null || text === '') return text;
    if (name === RACK && written.has(String(text))) return text;
    if (typeof text === 'string' && (list === true ? text.split(' ').every(isMask) : isMask(text)))
      return text;
    throw new PrivacyError(
      `${table}: ${name}: got a value that is not a mask; accepted: masks and empty values. ` +
        'This is a fault of Star Compactor; please report it',
    );
  };
  /** Checks all masked columns of an object when it is first written; Parquet asks for every row, long after that. */
  const checkObjects = <Row>(table: string, columns: readonly Column<Row>[]): ((of: never) => never) =>
    onceForEach((of: object) => {
      for (const column of columns) check(table, column, column.value(of as never, ANY_EPOCH));
      return of;
    }) as unknown as (of: never) => never;
  return {
    mask: ((value: string | null) => {
      const made = mask(value);
      if (made === null || made === '') return made;
      if (recent.size >= RECENT) [older, recent] = [recent, numberSet()];
      recent.add(fingerprint(made));
      return made;
    }) as Mask,
    maskShared: memoize((value) => share(mask(value))),
    maskRack: memoize((value) => {
      const made = mask(value);
      return ranks.get(made ?? '') ?? share(made);
    }),
    columns(table, columns) {
      const masked = columns.filter((column) => column.masked);
      const parts = new Set(masked.map(({ part }) => part).filter(({ kind }) => kind === 'object'));
      const checks = new Map(
        [...parts].map((of) => [
          of,
          checkObjects(
            table,
            masked.filter(({ part }) => part === of),
          ),
        ]),
      );
      return columns.map((column) => {
        const { value, part } = column;
        if (!column.masked) return column;
        const ofPart = checks.get(part);
        return ofPart === undefined
          ? { ...column, value: (of, epoch) => check(table, column, value(of, epoch)) }
          : { ...column, value: (of, epoch) => value(ofPart(of), epoch) };
      });
    },
  };
}
