import { iso } from '../../../lib/core/time.ts';
import type { Row } from '../mariadb/index.ts';
import type { ServiceDatabase } from '../nova/baremetal.ts';
import { isAdmin } from './accounts.ts';
import type { Answer, Call } from './answers.ts';
import type { Cloud } from './cloud.ts';

/*
 * A fake of Blazar's API, as far as it lists leases, hosts, their properties and allocations: what "Reservation API v1"
 * shows of them, out of the tables of a real Blazar.
 */

interface BlazarCall {
  readonly blazar: ServiceDatabase;
  readonly now: string;
  /** The project whose leases are shown; undefined for an administrator, who is shown all. */
  readonly projectId: string | undefined;
}

type Route = (call: BlazarCall) => Promise<object>;

const ROUTES: Readonly<Record<string, Route>> = {
  'v1/leases': listLeases,
  'v1/os-hosts': listHosts,
  'v1/os-hosts/allocations': listAllocations,
  'v1/os-hosts/properties': listProperties,
};

/** `/reservation` */
export async function blazar(cloud: Cloud, call: Call): Promise<Answer> {
  const token = cloud.tokens.find(String(call.headers['x-auth-token'] ?? ''));
  if (token === undefined) return { status: 401, body: { error: { code: 401, title: 'Unauthorized' } } };
  const path = call.segments.join('/');
  const route = ROUTES[path];
  const isOld = path === 'v1/os-hosts/properties' && !cloud.blazarHasProperties;
  if (cloud.blazar === undefined || route === undefined || isOld) return fault(404, 'Not found');
  const isByAdmin = isAdmin(token.account.roles);
  if (!isByAdmin && path !== 'v1/leases')
    return fault(403, "Policy doesn't allow blazar:oshosts:get to be performed.");
  const body = await route({
    blazar: cloud.blazar,
    now: iso(cloud.now()).slice(0, 19).replace('T', ' '),
    projectId: isByAdmin ? undefined : token.account.projectId,
  });
  return { status: 200, body };
}

function fault(status: number, text: string): Answer {
  return { status, body: { error_code: status, error_message: text, error_name: status } };
}

/** `2017-12-26T12:00:00.000000`, of what is planned. */
function planOf(value: unknown): string | null {
  const text = textOf(value);
  return text === null ? null : `${text.replace(' ', 'T')}.000000`;
}

/** `2017-12-27 10:00:00`, of what is recorded. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, 19) : null;
}

async function listLeases({ blazar: database, projectId }: BlazarCall): Promise<object> {
  const leases = await database.query('SELECT * FROM leases ORDER BY id');
  const reservations = await database.query(
    `SELECT r.*, h.count_range, h.before_end, h.hypervisor_properties, i.vcpus, i.memory_mb, i.disk_gb, i.amount,
       COALESCE(h.resource_properties, i.resource_properties) AS resource_properties
     FROM reservations r LEFT JOIN computehost_reservations h ON h.reservation_id = r.id
       LEFT JOIN instance_reservations i ON i.reservation_id = r.id`,
  );
  const events = await database.query('SELECT * FROM events');
  return {
    leases: leases
      .filter((lease) => projectId === undefined || lease['project_id'] === projectId)
      .map(
        ({
          start_date: start,
          end_date: end,
          created_at: created,
          updated_at: updated,
          degraded,
          ...lease
        }) => ({
          ...lease,
          start_date: planOf(start),
          end_date: planOf(end),
          created_at: textOf(created),
          updated_at: textOf(updated),
          degraded: degraded === 1,
          reservations: reservations.filter((row) => row['lease_id'] === lease['id']).map(reservationView),
          events: events
            .filter((row) => row['lease_id'] === lease['id'])
            .map((row) => ({
              ...row,
              time: planOf(row['time']),
              created_at: textOf(row['created_at']),
              updated_at: textOf(row['updated_at']),
            })),
        }),
      ),
  };
}

function reservationView(row: Row): object {
  const [min, max] = (textOf(row['count_range']) ?? '').split('-').map(Number);
  const {
    resource_properties: properties,
    hypervisor_properties: ofHypervisors,
    before_end: beforeEnd,
  } = row;
  const { vcpus, memory_mb: memory, disk_gb: disk, amount } = row;
  return {
    id: row['id'],
    lease_id: row['lease_id'],
    status: row['status'],
    resource_id: row['resource_id'],
    resource_type: row['resource_type'],
    missing_resources: row['missing_resources'] === 1,
    resources_changed: row['resources_changed'] === 1,
    created_at: textOf(row['created_at']),
    updated_at: textOf(row['updated_at']),
    ...(row['count_range'] === null
      ? {}
      : { min, max, hypervisor_properties: ofHypervisors, before_end: beforeEnd }),
    ...(vcpus === null ? {} : { vcpus, memory_mb: memory, disk_gb: disk, amount, affinity: null }),
    ...(properties === null ? {} : { resource_properties: properties }),
  };
}

async function listHosts({ blazar: database }: BlazarCall): Promise<object> {
  const hosts = await database.query('SELECT * FROM computehosts ORDER BY id');
  const capabilities = await database.query(
    `SELECT c.computehost_id, p.property_name, c.capability_value FROM computehost_extra_capabilities c
       JOIN resource_properties p ON p.id = c.property_id`,
  );
  return {
    hosts: hosts.map((host) => ({
      ...host,
      reservable: host['reservable'] === 1,
      created_at: textOf(host['created_at']),
      updated_at: textOf(host['updated_at']),
      ...Object.fromEntries(
        capabilities
          .filter((row) => row['computehost_id'] === host['id'])
          .map((row) => [row['property_name'], row['capability_value']]),
      ),
    })),
  };
}

async function listProperties({ blazar: database }: BlazarCall): Promise<object> {
  const rows = await database.query('SELECT property_name, private FROM resource_properties ORDER BY 1');
  return {
    resource_properties: rows.map((row) => ({
      property: row['property_name'],
      private: row['private'] === 1,
      values: [],
    })),
  };
}

/** Of every host, but only of leases whose planned end has not come yet, whatever has become of them. */
async function listAllocations({ blazar: database, now }: BlazarCall): Promise<object> {
  const hosts = await database.query('SELECT id FROM computehosts ORDER BY id');
  const rows = await database.query(
    `SELECT a.compute_host_id, r.id, r.lease_id, l.start_date, l.end_date FROM computehost_allocations a
       JOIN reservations r ON r.id = a.reservation_id JOIN leases l ON l.id = r.lease_id WHERE l.end_date > ?`,
    [now],
  );
  return {
    allocations: hosts.map(({ id: host }) => ({
      resource_id: host,
      reservations: rows
        .filter((row) => row['compute_host_id'] === host)
        .map(({ id, lease_id: leaseId, start_date: start, end_date: end }) => ({
          id,
          lease_id: leaseId,
          start_date: planOf(start),
          end_date: planOf(end),
        })),
    })),
  };
}
