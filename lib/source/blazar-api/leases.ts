import * as z from 'zod/mini';
import { instantField } from '../../core/fields.ts';
import type { Seconds } from '../../core/time.ts';
import { type BlazarRows, leasesOf } from '../blazar-db/lease-rows.ts';
import type { LeasesRead } from '../leases/found.ts';
import { shaped, timeIn } from '../nova-api/answers.ts';
import type { Api } from '../nova-api/calls.ts';
import { answeredAt } from '../nova-api/other-services.ts';
import { type ApiAllocations, askHosts, readApiAllocations, readApiCapabilities } from './hosts.ts';

export const LEASES = 'Blazar: the list of leases';

const text = z.nullish(z.string());
const flag = z.nullish(z.boolean());
const count = z.nullish(z.number());

const Reservation = z.object({
  id: z.string(),
  resource_type: text,
  status: text,
  updated_at: text,
  missing_resources: flag,
  resources_changed: flag,
  /** Of hosts. */
  min: count,
  max: count,
  /** Of servers. */
  amount: count,
  vcpus: count,
  memory_mb: count,
  disk_gb: count,
  resource_properties: text,
});
const Event = z.object({ event_type: text, time: text, status: text, updated_at: text });

/** "Reservation API v1", as far as a trace needs it: names and trusts are dropped at once. */
const Lease = z.object({
  id: z.string(),
  user_id: text,
  project_id: text,
  start_date: instantField,
  end_date: instantField,
  status: text,
  degraded: flag,
  created_at: text,
  updated_at: text,
  reservations: z.array(Reservation),
  events: z.array(Event),
});
export const LeasePage = z.object({ leases: z.array(Lease) });

/** What Blazar's API does not tell, as manifests name it. */
export const UNSEEN_OF_LEASES = [
  'removedLeases',
  'allocationTimes',
  'overdueAllocations',
  'reservationHints',
];

/** Allocations are asked for before leases, so that one which ended in between is known to have ended. */
const CLOCKS: Seconds = 2;

/**
 * The leases of all projects, as Blazar lists them to an administrator, all at once.
 *
 * @param names of properties that may be told of what was asked for
 */
export async function readApiLeases(blazar: Api, names: readonly string[]): Promise<LeasesRead> {
  const hosts = await askHosts(blazar);
  const capabilities = [...(await readApiCapabilities(blazar, hosts, names)).values()];
  const known = new Map(
    names.map((name) => [name, new Set(capabilities.flatMap(({ values }) => values.get(name) ?? []))]),
  );
  const allocations = await readApiAllocations(blazar, hosts);
  const answer = await blazar.get({ path: '/leases', what: LEASES });
  const { leases } = shaped(LeasePage, answer.json, LEASES);
  const read = leasesOf(rowsOf(leases, allocations), answeredAt(answer), known);
  return {
    ...read,
    leases: read.leases.map((lease) => {
      const hasNone = lease.reservations.every((reservation) => reservation.hosts.length === 0);
      // Blazar shows no hosts of a lease once its plan is over, whatever has become of it.
      const isPast = lease.end <= allocations.at + CLOCKS && lease.ended === null;
      const isYoung = (lease.created ?? 0) >= allocations.at - CLOCKS;
      return hasNone && (isPast || isYoung) ? { ...lease, hidesHosts: true } : lease;
    }),
  };
}

function rowsOf(leases: readonly z.output<typeof Lease>[], { hosts }: ApiAllocations): BlazarRows {
  return {
    leases: leases.map((lease) => ({
      id: lease.id,
      created: timeIn(lease.created_at),
      updated: timeIn(lease.updated_at),
      deleted: null,
      userId: lease.user_id ?? null,
      projectId: lease.project_id ?? null,
      start: lease.start_date,
      end: lease.end_date,
      status: lease.status ?? null,
      degraded: lease.degraded === true,
    })),
    reservations: leases.flatMap(({ id: leaseId, reservations }) =>
      reservations.map((one) => {
        const isOfServers = typeof one.vcpus === 'number';
        return {
          id: one.id,
          leaseId,
          type: one.resource_type ?? null,
          status: one.status ?? null,
          updated: timeIn(one.updated_at),
          degraded: one.missing_resources === true || one.resources_changed === true,
          countRange: typeof one.min === 'number' ? `${one.min}-${one.max ?? one.min}` : null,
          size: isOfServers ? [one.vcpus ?? null, one.memory_mb ?? null, one.disk_gb ?? null] : null,
          amount: isOfServers ? (one.amount ?? null) : null,
          requirements: one.resource_properties ?? null,
        };
      }),
    ),
    events: leases.flatMap(({ id: leaseId, events }) =>
      events
        .map((one) => ({
          leaseId,
          type: one.event_type ?? null,
          time: timeIn(one.time),
          status: one.status ?? null,
          updated: timeIn(one.updated_at),
          deleted: null,
        }))
        .toSorted((a, b) => (a.time ?? 0) - (b.time ?? 0)),
    ),
    allocations: [...hosts].flatMap(([reservationId, own]) =>
      own.map((host) => ({ reservationId, host, set: null, deleted: null })),
    ),
  };
}
