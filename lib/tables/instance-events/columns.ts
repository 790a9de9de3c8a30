import type { Seconds } from '../../core/time.ts';
import { type Column, type Part, column, secondsSince } from '../table.ts';
import type { MaskedEvent, MaskedInstance } from './row.ts';

type Of<V> = Part<MaskedEvent, V>;

const instance: Of<MaskedInstance> = { of: (row) => row.instance, kind: 'object' };
const event: Of<string | null> = { of: (row) => row.event, kind: 'text' };
const start: Of<number> = { of: (row) => row.start, kind: 'number' };
const finish: Of<number> = { of: (row) => row.finish, kind: 'number' };
const duration: Of<number> = { of: (row) => row.finish - row.start, kind: 'number' };
const result: Of<string | null> = { of: (row) => row.result, kind: 'text' };
const host: Of<string | null> = { of: (row) => row.host, kind: 'text' };

// A start and a finish have the same functions, so that lines that do not name them share their texts.
const asTime = (time: Seconds): Seconds => time;
const sinceEpoch = (time: Seconds, epoch: Seconds): number => secondsSince(epoch, time);

/** One row a finished event, as the published Chameleon traces have it. */
export const COLUMNS: readonly Column<MaskedEvent>[] = [
  column(
    instance,
    {
      csv: 'INSTANCE_UUID',
      jsonl: 'uuid',
      parquet: 'instance_uuid',
      type: 'string',
      masked: true,
      description: 'The server',
    },
    ({ uuid }) => uuid,
  ),
  column(
    event,
    {
      csv: 'EVENT',
      jsonl: 'event',
      parquet: 'event',
      type: 'string',
      description: 'What happened, such as compute__do_build_and_run_instance',
    },
    (name) => name,
  ),
  column(
    start,
    {
      csv: 'START_TIME',
      jsonl: 'start_time',
      parquet: 'start_time',
      type: 'timestamp',
      description: 'When it began, UTC',
    },
    asTime,
  ),
  column(
    start,
    {
      csv: 'START_SEC',
      jsonl: 'startSec',
      parquet: 'start_sec',
      type: 'integer',
      description: 'The same in whole seconds since the epoch of the trace; -1 where earlier',
    },
    sinceEpoch,
  ),
  column(
    finish,
    {
      csv: 'FINISH_TIME',
      jsonl: 'finish_time',
      parquet: 'finish_time',
      type: 'timestamp',
      description: 'When it ended, UTC',
    },
    asTime,
  ),
  column(
    finish,
    {
      csv: 'FINISH_SEC',
      jsonl: 'finishSec',
      parquet: 'finish_sec',
      type: 'integer',
      description: 'The same in whole seconds since the epoch of the trace; -1 where earlier',
    },
    sinceEpoch,
  ),
  column(
    duration,
    {
      csv: 'EVENT_DURATION',
      jsonl: 'duration',
      parquet: 'event_duration',
      type: 'integer',
      description: 'Seconds from start to finish',
    },
    (seconds) => seconds,
  ),
  column(
    result,
    {
      csv: 'RESULT',
      jsonl: 'result',
      parquet: 'result',
      type: 'string',
      description: 'Success or Error',
    },
    (text) => text,
  ),
  column(
    instance,
    {
      csv: 'MEMORY_MB',
      jsonl: 'memory_mb',
      parquet: 'memory_mb',
      type: 'integer',
      inProperties: true,
      description: 'Memory of the server’s flavour, MiB',
    },
    ({ memoryMb }) => memoryMb,
  ),
  column(
    instance,
    {
      csv: 'DISK_GB',
      jsonl: 'root_gb',
      parquet: 'disk_gb',
      type: 'integer',
      inProperties: true,
      description: 'Root disk of the server’s flavour, GiB; 0 where it boots from a volume',
    },
    ({ rootGb }) => rootGb,
  ),
  column(
    instance,
    {
      csv: 'VCPUS',
      jsonl: 'vcpus',
      parquet: 'vcpus',
      type: 'integer',
      inProperties: true,
      description: 'Virtual CPUs of the server’s flavour',
    },
    ({ vcpus }) => vcpus,
  ),
  column(
    instance,
    {
      csv: 'INSTANCE_NAME',
      jsonl: 'hostname',
      parquet: 'instance_name',
      type: 'string',
      masked: true,
      description: 'Host name of the server',
    },
    ({ hostname }) => hostname,
  ),
  column(
    instance,
    {
      csv: 'USER_ID',
      jsonl: 'user_id',
      parquet: 'user_id',
      type: 'string',
      masked: true,
      description: 'Owner of the server',
    },
    ({ userId }) => userId,
  ),
  column(
    instance,
    {
      csv: 'PROJECT_ID',
      jsonl: 'project_id',
      parquet: 'project_id',
      type: 'string',
      masked: true,
      description: 'Project of the server',
    },
    ({ projectId }) => projectId,
  ),
  column(
    host,
    {
      csv: 'HOST_NAME (PHYSICAL)',
      jsonl: 'host',
      parquet: 'host_name',
      type: 'string',
      masked: true,
      description: 'Physical host',
    },
    (name) => name,
  ),
];
