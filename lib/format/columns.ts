/**
 * The trace's columns, in order: as CSV, JSON lines and Parquet name them. The one list from which headers, manifests,
 * schemas, catalogue and documentation are made, or against which they are tested.
 */
export const COLUMNS = [
  {
    csv: 'INSTANCE_UUID',
    jsonl: 'uuid',
    parquet: 'instance_uuid',
    type: 'string',
    masked: true,
    description: 'The server',
  },
  {
    csv: 'EVENT',
    jsonl: 'event',
    parquet: 'event',
    type: 'string',
    masked: false,
    description: 'What happened, such as compute__do_build_and_run_instance',
  },
  {
    csv: 'START_TIME',
    jsonl: 'start_time',
    parquet: 'start_time',
    type: 'timestamp',
    masked: false,
    description: 'When it began, UTC',
  },
  {
    csv: 'START_SEC',
    jsonl: 'startSec',
    parquet: 'start_sec',
    type: 'integer',
    masked: false,
    description: 'The same in whole seconds since the epoch of the trace; -1 where earlier',
  },
  {
    csv: 'FINISH_TIME',
    jsonl: 'finish_time',
    parquet: 'finish_time',
    type: 'timestamp',
    masked: false,
    description: 'When it ended, UTC',
  },
  {
    csv: 'FINISH_SEC',
    jsonl: 'finishSec',
    parquet: 'finish_sec',
    type: 'integer',
    masked: false,
    description: 'The same in whole seconds since the epoch of the trace; -1 where earlier',
  },
  {
    csv: 'EVENT_DURATION',
    jsonl: 'duration',
    parquet: 'event_duration',
    type: 'integer',
    masked: false,
    description: 'Seconds from start to finish',
  },
  {
    csv: 'RESULT',
    jsonl: 'result',
    parquet: 'result',
    type: 'string',
    masked: false,
    description: 'Success or Error',
  },
  {
    csv: 'MEMORY_MB',
    jsonl: 'memory_mb',
    parquet: 'memory_mb',
    type: 'integer',
    masked: false,
    description: 'Memory of the server’s flavour, MiB',
  },
  {
    csv: 'DISK_GB',
    jsonl: 'root_gb',
    parquet: 'disk_gb',
    type: 'integer',
    masked: false,
    description: 'Root disk of the server’s flavour, GiB; 0 where it boots from a volume',
  },
  {
    csv: 'VCPUS',
    jsonl: 'vcpus',
    parquet: 'vcpus',
    type: 'integer',
    masked: false,
    description: 'Virtual CPUs of the server’s flavour',
  },
  {
    csv: 'INSTANCE_NAME',
    jsonl: 'hostname',
    parquet: 'instance_name',
    type: 'string',
    masked: true,
    description: 'Host name of the server',
  },
  {
    csv: 'USER_ID',
    jsonl: 'user_id',
    parquet: 'user_id',
    type: 'string',
    masked: true,
    description: 'Owner of the server',
  },
  {
    csv: 'PROJECT_ID',
    jsonl: 'project_id',
    parquet: 'project_id',
    type: 'string',
    masked: true,
    description: 'Project of the server',
  },
  {
    csv: 'HOST_NAME (PHYSICAL)',
    jsonl: 'host',
    parquet: 'host_name',
    type: 'string',
    masked: true,
    description: 'Physical host',
  },
] as const;

/** Versions of the published Chameleon traces. They differ in CSV only. */
export const TRACE_VERSIONS = ['0.2', '0.3'] as const;
export type TraceVersion = (typeof TRACE_VERSIONS)[number];

/** The last column of a CSV of 0.3. */
export const PROPERTIES = 'PROPERTIES';

/** What 0.3 puts into the last column, in the order of its keys. */
const SIZES: readonly string[] = ['MEMORY_MB', 'DISK_GB', 'VCPUS'];

/** The header of a CSV file. */
export function csvColumns(version: TraceVersion): readonly string[] {
  const names = COLUMNS.map(({ csv }) => csv);
  return version === '0.2' ? names : [...names.filter((name) => !SIZES.includes(name)), PROPERTIES];
}
