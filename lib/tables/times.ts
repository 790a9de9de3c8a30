import type { Seconds } from '../core/time.ts';
import { type Column, type Part, column, secondsSince } from './table.ts';

/**
 * The two columns of a time that may be unknown: itself, and whole seconds since the epoch of the trace.
 *
 * @param names such as `CREATED`, `created`; the second column is `CREATED_SEC`, `createdSec`, `created_sec`
 */
export function timeColumns<Row, V>(
  part: Part<Row, V>,
  names: { readonly csv: string; readonly jsonl: string },
  description: string,
  timeOf: (part: V) => Seconds | null,
): readonly [Column<Row>, Column<Row>] {
  return [
    column(
      part,
      {
        csv: `${names.csv}_TIME`,
        jsonl: `${names.jsonl}_time`,
        parquet: `${names.jsonl}_time`,
        type: 'timestamp',
        description: `${description}, UTC`,
      },
      timeOf,
    ),
    column(
      part,
      {
        csv: `${names.csv}_SEC`,
        jsonl: `${names.jsonl}Sec`,
        parquet: `${names.jsonl}_sec`,
        type: 'integer',
        description: 'The same in whole seconds since the epoch of the trace; -1 where earlier',
      },
      (of, epoch) => {
        const time = timeOf(of);
        return time === null ? null : secondsSince(epoch, time);
      },
    ),
  ];
}
