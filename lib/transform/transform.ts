import { countDistinct } from '../core/collections/distinct.ts';
import type { Window } from '../core/window.ts';
import type { HostFrom } from '../config/choices.ts';
import type { Column, Mask, Table } from '../tables/table.ts';
import { checkMasks } from './checked-masks.ts';
import { type Exclusion, reasonToExclude } from './exclude.ts';
import { hostOf } from './host.ts';
import { rackOf } from './rack.ts';
import { cutPlans, cutTimes } from './times.ts';

/** Rows of one table, on their way from its reader to its files. */
export interface Transform<Raw, Row> extends Disposable {
  /** Leaves out what the settings exclude, and masks the rest. */
  readonly apply: (rows: readonly Raw[]) => Row[];
  /** Rows left out so far, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Distinct subjects of the rows so far; see {@link Masker}. */
  readonly subjects: () => number;
  /** Rows by how their time is known, if the table tells; see {@link Table}. */
  readonly basis: Readonly<Record<string, number>>;
  /** The table's columns, for encoders: masked ones throw a PrivacyError for a value that is not a mask of this transform. */
  readonly columns: readonly Column<Row>[];
}

export interface TransformSettings extends Exclusion {
  readonly hostFrom: HostFrom;
  /** Times before it, and plans outside of it, are cut to the day; undefined where all stay exact. */
  readonly exactIn?: Window | undefined;
  /** Finds the rack in a hypervisor's name: what its first group matches, or all of it. */
  readonly rackPattern?: RegExp | undefined;
  /** Of a release: masks of its racks, in order of the racks' names. */
  readonly release?: { readonly racks?: readonly string[] } | undefined;
}

/** @param onIdentifier told every value before it is masked, some of them again and again */
export function openTransform<Raw, Row>(
  table: Table<Raw, Row>,
  settings: TransformSettings,
  mask: Mask,
  onIdentifier?: (value: string | null) => void,
): Transform<Raw, Row> {
  const { owner, basis: basisOf } = table;
  const watched = onIdentifier === undefined ? mask : watchedMask(mask, onIdentifier);
  const checked = checkMasks(watched, settings.release?.racks);
  const subjects = countDistinct();
  const toMasked = table.masked({
    mask: checked.mask,
    maskSubject(value) {
      const made = checked.mask(value);
      subjects.add(made);
      return made;
    },
    maskShared: checked.maskShared,
    maskRack: checked.maskRack,
    hostOf: (row) => hostOf(row, settings.hostFrom),
    timeOf: cutTimes(settings.exactIn),
    planOf: cutPlans(settings.exactIn),
    rackOf: (row) => rackOf(row, settings.rackPattern),
  });
  const skipped: Record<string, number> = {};
  const basis: Record<string, number> = {};
  const { excludeUsers, excludeProjects } = settings;
  const wanted = (rows: readonly Raw[]): readonly Raw[] => {
    if (owner === undefined || excludeUsers.size + excludeProjects.size === 0) return rows;
    return rows.filter((row) => {
      const reason = reasonToExclude(settings, owner(row));
      if (reason !== undefined) count(skipped, reason);
      return reason === undefined;
    });
  };
  return {
    apply(rows) {
      const masked = wanted(rows).map(toMasked);
      if (basisOf !== undefined) for (const row of masked) count(basis, basisOf(row));
      return masked;
    },
    skipped,
    basis,
    subjects: () => subjects.count(),
    columns: checked.columns(table.name, table.columns),
    [Symbol.dispose]: () => subjects[Symbol.dispose](),
  };
}

function count(counts: Record<string, number>, of: string): void {
  counts[of] = (counts[of] ?? 0) + 1;
}

function watchedMask(mask: Mask, onIdentifier: (value: string | null) => void): Mask {
  return ((value: string | null) => {
    onIdentifier(value);
    return mask(value);
  }) as Mask;
}
