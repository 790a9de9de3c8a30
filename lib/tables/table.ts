import type { Seconds } from '../core/time.ts';

/*
 * A table is described once. Encoders, manifests, data packages, the catalogue and `--table` of the commands follow from
 * the description; what a source has to do for it is a reader in `source/`.
 */

/** What a field holds before it is written; times as seconds since 1970. */
export type Value = string | number | boolean | null;

/**
 * What several columns of a row are made of. Fields that follow each other and are made of the same part are rendered
 * together, and once for each distinct part: a server, a time, the name of an event. Lines joined from such pieces take
 * half of what making each line from scratch takes.
 */
export interface Part<Row, V> {
  readonly of: (row: Row) => V;
  /** `object`: shared by rows, such as a server. `number`: such as a time. `text`: of few distinct values. */
  readonly kind: 'object' | 'number' | 'text';
}

export interface Column<Row> {
  /** Its name in CSV, JSON lines and Parquet. */
  readonly csv: string;
  readonly jsonl: string;
  readonly parquet: string;
  readonly type: 'string' | 'integer' | 'timestamp' | 'boolean';
  readonly masked: boolean;
  /** Whether it holds several values, such as masks, with a blank between them. */
  readonly list?: boolean;
  readonly description: string;
  /** Whether a CSV of version 0.3 has it in the last column, PROPERTIES. */
  readonly inProperties: boolean;
  /** Its name there; that of JSON lines unless told otherwise. */
  readonly property?: string;
  /** Whether it is the text of a JSON object, whose pairs PROPERTIES has in place of the column itself. */
  readonly spread?: boolean;
  /** Whether CSV has it: the published formats have no place for some. */
  readonly inCsv: boolean;
  readonly part: Part<Row, unknown>;
  /** @param part what `part.of` gave */
  readonly value: (part: never, epoch: Seconds) => Value;
}

/** Text that may leave the process. Only a mask makes one, so that an unmasked record cannot be written. */
declare const masked: unique symbol;
export type Masked = string & { readonly [masked]: true };

/** Null stays null and empty stays empty: both would otherwise look like a real value that many share. */
export interface Mask {
  (value: string): Masked;
  (value: string | null): Masked | null;
}

/** What a table needs to mask its rows. */
export interface Masker {
  /** The same secret for all columns and tables of a drop, so that tables join. */
  readonly mask: Mask;
  /** The same for what a row is about, such as a server: manifests count the distinct ones. */
  readonly maskSubject: (value: string) => Masked;
  /** The same, remembering what it gave: for values that come by again and again. */
  readonly maskShared: (value: string | null) => Masked | null;
  /** A rack's mask; in a release its rank by name among the racks that were there when it was planned. */
  readonly maskRack: (value: string | null) => Masked | null;
  /** The physical host that a row names; `transform/host.ts` has the rule. */
  readonly hostOf: (row: Located) => string | null;
  /** A time as it may leave the process: `transform/times.ts` has the rule. For times that may lie before the window. */
  readonly timeOf: (time: Seconds | null) => Seconds | null;
  /** Likewise a planned time, which may lie on either side of the window. */
  readonly planOf: (time: Seconds) => Seconds;
  /** The rack of a row's host; `transform/rack.ts` has the rule. */
  readonly rackOf: (row: Racked) => string | null;
}

/** What tells where an event ran. */
export interface Located {
  readonly event: string | null;
  readonly host: string | null;
  readonly instance: { readonly host: string | null; readonly node: string | null };
}

/** Who a row belongs to, for exclusion. */
export interface Owner {
  readonly userId: string | null;
  readonly projectId: string | null;
}

/**
 * @typeParam Raw a row as a source gives it
 * @typeParam Row the same, masked
 */
export interface Table<Raw, Row> {
  /** As in keys, manifests, Parquet and the catalogue: `instance_events`. */
  readonly name: string;
  /** For people: `Instance events`. */
  readonly title: string;
  /** `events`: each row in one drop. `snapshot`: what existed in the window; each drop has all of it. */
  readonly kind: 'events' | 'snapshot';
  /** Whether a drop has it only where `tables` names it: not every cloud has what it tells of. */
  readonly onRequest?: boolean;
  /** What a row is, for the catalogue. */
  readonly description: string;
  readonly columns: readonly Column<Row>[];
  /** Rows are written in this order: for events, of their start. */
  readonly order: (raw: Raw) => number;
  /** Of events: the moment that says which window a row belongs to. */
  readonly at?: (raw: Raw) => Seconds;
  /** Who may have asked to be left out; undefined where rows belong to nobody. */
  readonly owner?: (raw: Raw) => Owner;
  readonly masked: (masker: Masker) => (raw: Raw) => Row;
  /** How the time of a row is known: of a few kinds, of which manifests count the rows. */
  readonly basis?: (row: Row) => string;
  /** What the table does not show, whatever its source; for manifests. */
  readonly cannotShow?: readonly string[];
}

/** What tells the rack of a host. */
export interface Racked {
  /** Name of its hypervisor. */
  readonly node: string | null;
  /** Undefined where the source tells none, and the name has to do. */
  readonly rack?: string | null | undefined;
}

/** Any table, for what does not look into its rows. */
export type AnyTable = Table<unknown, unknown>;

/**
 * The earlier of a row's order and its time. By the clocks of two controllers an event may finish hours before it starts,
 * so a pass over several windows is in this order.
 */
export function earlierOf<Raw>({
  order,
  at = order,
}: Pick<Table<Raw, never>, 'order' | 'at'>): (row: Raw) => number {
  return (row) => Math.min(order(row), at(row));
}

/** Describes a column of a part. */
export function column<Row, V>(
  part: Part<Row, V>,
  described: Pick<Column<Row>, 'csv' | 'jsonl' | 'parquet' | 'type' | 'description'> &
    Partial<Pick<Column<Row>, 'masked' | 'list' | 'inProperties' | 'property' | 'spread' | 'inCsv'>>,
  value: (part: V, epoch: Seconds) => Value,
): Column<Row> {
  return { masked: false, inProperties: false, inCsv: true, ...described, part, value };
}

/** The last column of a CSV of version 0.3, where a table has columns that belong there. */
export const PROPERTIES = 'PROPERTIES';

/** Whole seconds since the epoch of the trace; -1 for what came before it. */
export function secondsSince(epoch: Seconds, time: Seconds): number {
  return time < epoch ? -1 : time - epoch;
}
