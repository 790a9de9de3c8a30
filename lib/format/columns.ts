/**
 * The trace's columns, format 0.2, in order: as CSV and as JSON lines name them. The one list from which headers,
 * manifest and documentation are made.
 */
export const COLUMNS = [
  { csv: 'INSTANCE_UUID', json: 'uuid', masked: true },
  { csv: 'EVENT', json: 'event', masked: false },
  { csv: 'START_TIME', json: 'start_time', masked: false },
  { csv: 'START_SEC', json: 'startSec', masked: false },
  { csv: 'FINISH_TIME', json: 'finish_time', masked: false },
  { csv: 'FINISH_SEC', json: 'finishSec', masked: false },
  { csv: 'EVENT_DURATION', json: 'duration', masked: false },
  { csv: 'RESULT', json: 'result', masked: false },
  { csv: 'MEMORY_MB', json: 'memory_mb', masked: false },
  { csv: 'DISK_GB', json: 'root_gb', masked: false },
  { csv: 'VCPUS', json: 'vcpus', masked: false },
  { csv: 'INSTANCE_NAME', json: 'hostname', masked: true },
  { csv: 'USER_ID', json: 'user_id', masked: true },
  { csv: 'PROJECT_ID', json: 'project_id', masked: true },
  { csv: 'HOST_NAME (PHYSICAL)', json: 'host', masked: true },
] as const;

export const TRACE_VERSION = '0.2';
