import type { Seconds } from '../../../lib/core/time.ts';
import { type Masked, type Part, type Table, column, secondsSince } from '../../../lib/tables/table.ts';

/** Who owned a server in the window. */
export interface OwnerRow {
  readonly userId: string;
  readonly projectId: string | null;
  readonly since: Seconds;
}

export interface MaskedOwner {
  readonly userId: Masked;
  readonly projectId: Masked | null;
  readonly since: Seconds;
}

const row: Part<MaskedOwner, MaskedOwner> = { of: (owner) => owner, kind: 'object' };
const since: Part<MaskedOwner, Seconds> = { of: (owner) => owner.since, kind: 'number' };

/** A made-up snapshot table that the product does not know: what works for it works for any. */
export const owners: Table<OwnerRow, MaskedOwner> = {
  name: 'owners',
  title: 'Owners',
  kind: 'snapshot',
  description: 'One row for each user who owned a server in the window',
  columns: [
    column(
      row,
      {
        csv: 'USER_ID',
        jsonl: 'user_id',
        parquet: 'user_id',
        type: 'string',
        masked: true,
        description: 'The user',
      },
      ({ userId }) => userId,
    ),
    column(
      row,
      {
        csv: 'PROJECT_ID',
        jsonl: 'project_id',
        parquet: 'project_id',
        type: 'string',
        masked: true,
        inProperties: true,
        description: 'Project of the user',
      },
      ({ projectId }) => projectId,
    ),
    column(
      since,
      {
        csv: 'SINCE_TIME',
        jsonl: 'since_time',
        parquet: 'since_time',
        type: 'timestamp',
        description: 'When the user owned the first server, UTC',
      },
      (time) => time,
    ),
    column(
      since,
      {
        csv: 'SINCE_SEC',
        jsonl: 'sinceSec',
        parquet: 'since_sec',
        type: 'integer',
        description: 'The same in whole seconds since the epoch of the trace; -1 where earlier',
      },
      (time, epoch) => secondsSince(epoch, time),
    ),
  ],
  order: (owner) => owner.since,
  owner: (owner) => owner,
  masked:
    ({ maskSubject, maskShared }) =>
    (owner) => ({
      userId: maskSubject(owner.userId),
      projectId: maskShared(owner.projectId),
      since: owner.since,
    }),
};
