import { createHash } from 'node:crypto';
import { iso } from '../../../lib/core/time.ts';
import type { Cell } from '../nova/schema.ts';
import { askCells } from './cells.ts';
import type { NovaCall } from './nova.ts';
import { forbidden } from './nova-errors.ts';
import { anyText, checkQuery, lastOf } from './query-schema.ts';

interface NovaService {
  readonly binary: string;
  readonly host: string;
  readonly isUnknown?: boolean;
  readonly uuid?: string;
  readonly disabled?: boolean;
  readonly forcedDown?: boolean;
}

const CONTROLLER = 'ctl.example';

/**
 * `GET /os-services`: a compute for each host that has or had a server, and a controller's two. From 2.69 on those
 * of cells that are down are there, as stubs (`service_get_all` in nova/compute/api.py).
 */
export async function listServices(call: NovaCall): Promise<object> {
  const params = checkQuery(call.params, {
    properties: { host: anyText, binary: anyText },
    additional: call.minor < 75 ? 'strip' : 'refuse',
  });
  if (!call.isAdmin) throw forbidden('os-services:list');
  const answers = await askCells(call, computesOf);
  const computes = await Promise.all(
    answers.map(async (answer): Promise<NovaService[]> => {
      if ('value' in answer) return answer.value;
      if (call.minor < 69) return [];
      return (await computesOf(answer.cell)).map((service) => ({ ...service, isUnknown: true }));
    }),
  );
  const controller = ['nova-conductor', 'nova-scheduler'].map((binary) => ({ binary, host: CONTROLLER }));
  const [host, binary] = ['host', 'binary'].map((name) => lastOf(params, name) ?? '');
  return {
    services: [...controller, ...computes.flat()]
      .filter((service) => host === '' || service.host === host)
      .filter((service) => binary === '' || service.binary === binary)
      .map((service, at) => serviceView(call, service, at + 1)),
  };
}

/** Those that the cell has, or where a test gives it none, one for each host of a server. */
async function computesOf(cell: Cell): Promise<NovaService[]> {
  const services = await cell.query(
    "SELECT id, host, disabled, forced_down FROM services WHERE `binary` = 'nova-compute' AND deleted = 0 ORDER BY id",
  );
  if (services.length > 0) {
    return services.map(({ id, host, disabled, forced_down: forcedDown }) => ({
      binary: 'nova-compute',
      host: String(host),
      uuid: uuidOf(`service ${cell.name} ${String(id)}`),
      disabled: disabled === 1,
      forcedDown: forcedDown === 1,
    }));
  }
  const rows = await cell.query('SELECT DISTINCT host FROM instances WHERE host IS NOT NULL ORDER BY host');
  return rows.map((row) => ({ binary: 'nova-compute', host: String(row['host']) }));
}

/**
 * `GET /os-hypervisors/detail`, at 2.53 to 2.87: those that are not deleted, of the cells that answer, in the order of
 * their ids, page by page.
 */
export async function listHypervisors(call: NovaCall): Promise<object> {
  const params = checkQuery(call.params, {
    properties: { limit: anyText, marker: anyText },
    additional: 'strip',
  });
  if (!call.isAdmin) throw forbidden('os-hypervisors:list-detail');
  const answers = await askCells(call, (cell) =>
    cell.query('SELECT * FROM compute_nodes WHERE deleted = 0 ORDER BY id'),
  );
  const rows = answers.flatMap((answer) => ('value' in answer ? answer.value : []));
  const marker = lastOf(params, 'marker');
  const from = marker === undefined ? 0 : rows.findIndex(({ uuid }) => uuid === marker) + 1;
  return {
    hypervisors: rows.slice(from, from + call.cloud.maxLimit).map((row) => ({
      id: row['uuid'],
      hypervisor_hostname: row['hypervisor_hostname'],
      hypervisor_type: row['hypervisor_type'],
      state: 'up',
      status: 'enabled',
      vcpus: row['vcpus'],
      memory_mb: row['memory_mb'],
      local_gb: row['local_gb'],
      service: { host: row['host'], id: uuidOf(`service of ${String(row['host'])}`), disabled_reason: null },
    })),
  };
}

function serviceView(
  { minor, cloud }: NovaCall,
  { binary, host, isUnknown, uuid, disabled, forcedDown }: NovaService,
  id: number,
): object {
  if (isUnknown === true) return { binary, host, status: 'UNKNOWN' };
  return {
    binary,
    host,
    id: minor < 53 ? id : (uuid ?? uuidOf(`${binary} ${host}`)),
    zone: binary === 'nova-compute' ? 'nova' : 'internal',
    status: disabled === true ? 'disabled' : 'enabled',
    state: 'up',
    updated_at: iso(cloud.now()).replace('Z', '.000000'),
    disabled_reason: null,
    ...(minor < 11 ? {} : { forced_down: forcedDown === true }),
  };
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
