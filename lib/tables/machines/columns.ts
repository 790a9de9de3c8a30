import { type Column, type Part, column } from '../table.ts';
import { timeColumns } from '../times.ts';
import type { Capacity, MaskedMachine } from './row.ts';

const machine: Part<MaskedMachine, MaskedMachine> = { of: (row) => row, kind: 'object' };

/** The columns that tell the host, its rack and its capacity, as in every table of machines. */
export function machineColumns<Row extends object>(
  of: Part<Row, Row>,
  get: {
    readonly host: (row: Row) => string | null;
    readonly rack: (row: Row) => string | null;
    readonly capacity: (row: Row) => Capacity;
  },
): Record<'host' | 'rack' | 'vcpus' | 'memory' | 'disk' | 'properties', Column<Row>> {
  return {
    host: column(
      of,
      {
        csv: 'HOST_NAME (PHYSICAL)',
        jsonl: 'host',
        parquet: 'host_name',
        type: 'string',
        masked: true,
        description: 'Physical host',
      },
      get.host,
    ),
    rack: column(
      of,
      {
        csv: 'RACK',
        jsonl: 'rack',
        parquet: 'rack',
        type: 'string',
        masked: true,
        inProperties: true,
        description:
          'Rack, by rackPattern in the hypervisor’s name, or by rackProperty of a bare metal node; in a release its rank',
      },
      get.rack,
    ),
    vcpus: column(
      of,
      {
        csv: 'VCPU_CAPACITY',
        jsonl: 'vcpus',
        parquet: 'vcpu_capacity',
        property: 'vcpu_capability',
        type: 'integer',
        inProperties: true,
        description: 'CPUs of the host, before any overcommitment',
      },
      (row) => get.capacity(row).vcpus,
    ),
    memory: column(
      of,
      {
        csv: 'MEMORY_CAPACITY_MB',
        jsonl: 'memory_mb',
        parquet: 'memory_capacity_mb',
        property: 'memory_capability_mb',
        type: 'integer',
        inProperties: true,
        description: 'Memory of the host, MiB',
      },
      (row) => get.capacity(row).memoryMb,
    ),
    disk: column(
      of,
      {
        csv: 'DISK_CAPACITY_GB',
        jsonl: 'local_gb',
        parquet: 'disk_capacity_gb',
        property: 'disk_capability_gb',
        type: 'integer',
        inProperties: true,
        description: 'Disk of the host, GiB',
      },
      (row) => get.capacity(row).diskGb,
    ),
    properties: column(
      of,
      {
        csv: 'PROPERTIES',
        jsonl: 'properties',
        parquet: 'properties',
        type: 'string',
        inCsv: false,
        inProperties: true,
        spread: true,
        description: 'Of bare metal, the properties that nodeProperties names, as JSON; else empty',
      },
      (row) => get.capacity(row).properties ?? null,
    ),
  };
}

const { host, rack, vcpus, memory, disk, properties } = machineColumns(machine, {
  host: (row) => row.host,
  rack: (row) => row.rack,
  capacity: (row) => row.capacity,
});

/** One row a host. */
export const COLUMNS: readonly Column<MaskedMachine>[] = [
  host,
  ...timeColumns(
    machine,
    { csv: 'CREATED', jsonl: 'created' },
    'When the host was added to the cloud',
    ({ created }) => created,
  ),
  ...timeColumns(
    machine,
    { csv: 'DELETED', jsonl: 'deleted' },
    'When the host was removed, if before the window’s end',
    ({ deleted }) => deleted,
  ),
  column(
    machine,
    {
      csv: 'ENABLED',
      jsonl: 'enabled',
      parquet: 'enabled',
      type: 'boolean',
      description: 'Whether new servers may come to it, after the window’s events',
    },
    ({ enabled }) => enabled,
  ),
  column(
    machine,
    {
      csv: 'UP',
      jsonl: 'up',
      parquet: 'up',
      type: 'boolean',
      description:
        'When the drop was made: whether it reported within a minute and was not forced down, or the node was fit for use',
    },
    ({ up }) => up,
  ),
  rack,
  vcpus,
  memory,
  disk,
  properties,
];
