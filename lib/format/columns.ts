/**
 * The trace's columns, in order: as CSV, JSON lines and Parquet name them. The one list from which headers, manifests,
 * schemas, catalogue and documentation are made, or against which they are tested.
 */
export const COLUMNS = [
  { csv: 'INSTANCE_UUID', json: 'uuid', parquet: 'instance_uuid', type: 'string', masked: true },
  { csv: 'EVENT', json: 'event', parquet: 'event', type: 'string', masked: false },
  { csv: 'START_TIME', json: 'start_time', parquet: 'start_time', type: 'timestamp', masked: false },
  { csv: 'START_SEC', json: 'startSec', parquet: 'start_sec', type: 'integer', masked: false },
  { csv: 'FINISH_TIME', json: 'finish_time', parquet: 'finish_time', type: 'timestamp', masked: false },
  { csv: 'FINISH_SEC', json: 'finishSec', parquet: 'finish_sec', type: 'integer', masked: false },
  { csv: 'EVENT_DURATION', json: 'duration', parquet: 'event_duration', type: 'integer', masked: false },
  { csv: 'RESULT', json: 'result', parquet: 'result', type: 'string', masked: false },
  { csv: 'MEMORY_MB', json: 'memory_mb', parquet: 'memory_mb', type: 'integer', masked: false },
  { csv: 'DISK_GB', json: 'root_gb', parquet: 'disk_gb', type: 'integer', masked: false },
  { csv: 'VCPUS', json: 'vcpus', parquet: 'vcpus', type: 'integer', masked: false },
  { csv: 'INSTANCE_NAME', json: 'hostname', parquet: 'instance_name', type: 'string', masked: true },
  { csv: 'USER_ID', json: 'user_id', parquet: 'user_id', type: 'string', masked: true },
  { csv: 'PROJECT_ID', json: 'project_id', parquet: 'project_id', type: 'string', masked: true },
  { csv: 'HOST_NAME (PHYSICAL)', json: 'host', parquet: 'host_name', type: 'string', masked: true },
] as const;

/** Versions of the published Chameleon traces. They differ in CSV only. */
export const TRACE_VERSIONS = ['0.2', '0.3'] as const;
export type TraceVersion = (typeof TRACE_VERSIONS)[number];

export const PROPERTIES = 'PROPERTIES';

/** What 0.3 puts into the last column, in the order of its keys. */
const SIZES: readonly string[] = ['MEMORY_MB', 'DISK_GB', 'VCPUS'];

/** The header of a CSV file. */
export function csvColumns(version: TraceVersion): readonly string[] {
  const names = COLUMNS.map(({ csv }) => csv);
  return version === '0.2' ? names : [...names.filter((name) => !SIZES.includes(name)), PROPERTIES];
}
