import { COLUMNS as OF_EVENTS } from '../instance-events/columns.ts';
import { type Column, type Part, type Value, column } from '../table.ts';
import { timeColumns } from '../times.ts';
import type { MaskedServer } from './row.ts';

/** Every server comes once, so its row is rendered as a whole. */
const server: Part<MaskedServer, MaskedServer> = { of: (row) => row, kind: 'object' };

/** A column that `instance_events` has too: the same names and type, so that the tables join. */
function likeEvents(
  name: string,
  value: (row: MaskedServer) => Value,
  description?: string,
): Column<MaskedServer> {
  const like = OF_EVENTS.find(({ csv }) => csv === name);
  if (like === undefined) throw new Error(`instance_events has no column ${name}`);
  return column(server, { ...like, description: description ?? like.description }, value);
}

/** One row a server. */
export const COLUMNS: readonly Column<MaskedServer>[] = [
  likeEvents('INSTANCE_UUID', ({ uuid }) => uuid),
  ...timeColumns(
    server,
    { csv: 'CREATED', jsonl: 'created' },
    'When the server was asked for',
    ({ created }) => created,
  ),
  ...timeColumns(
    server,
    { csv: 'LAUNCHED', jsonl: 'launched' },
    'When it was last started on a host (a resize, rebuild or unshelve starts it again), empty where it never ran',
    ({ launched }) => launched,
  ),
  ...timeColumns(
    server,
    { csv: 'DELETED', jsonl: 'deleted' },
    'When it was deleted, if before the window’s end',
    ({ deleted }) => deleted,
  ),
  column(
    server,
    {
      csv: 'STATE',
      jsonl: 'state',
      parquet: 'state',
      type: 'string',
      description: 'Nova’s vm_state when the drop was made; empty where it was deleted after the window',
    },
    ({ state }) => state,
  ),
  likeEvents('MEMORY_MB', ({ memoryMb }) => memoryMb),
  likeEvents('DISK_GB', ({ rootGb }) => rootGb),
  likeEvents('VCPUS', ({ vcpus }) => vcpus),
  likeEvents('INSTANCE_NAME', ({ hostname }) => hostname),
  likeEvents('USER_ID', ({ userId }) => userId),
  likeEvents('PROJECT_ID', ({ projectId }) => projectId),
  likeEvents('HOST_NAME (PHYSICAL)', ({ host }) => host, 'Physical host where it is, or was last'),
  column(
    server,
    {
      csv: 'RESERVATION_ID',
      jsonl: 'reservation_id',
      parquet: 'reservation_id',
      type: 'string',
      masked: true,
      description: 'Blazar’s reservation that it runs in; empty where it runs in none',
    },
    ({ reservationId }) => reservationId,
  ),
];
