import * as z from 'zod/mini';
import type { Seconds } from '../../core/time.ts';
import type { LeaseHost } from '../../tables/leases/row.ts';
import type { Capabilities } from '../ironic-db/node-rows.ts';
import { shaped } from '../nova-api/answers.ts';
import type { Api, ApiAnswer } from '../nova-api/calls.ts';
import { answeredAt } from '../nova-api/other-services.ts';

const HOSTS = 'Blazar: the list of hosts';
const PROPERTIES = 'Blazar: the list of properties';
const ALLOCATIONS = 'Blazar: the list of allocations';

const text = z.nullish(z.string());
const id = z.union([z.string(), z.number()]);

/** Capabilities stand beside the host's own fields, each under its name. */
const Hosts = z.object({
  hosts: z.array(z.looseObject({ id, hypervisor_hostname: text, service_name: text })),
});
const Properties = z.object({
  resource_properties: z.array(z.object({ property: z.string(), private: z.nullish(z.boolean()) })),
});
const Allocations = z.object({
  allocations: z.array(z.object({ resource_id: id, reservations: z.array(z.object({ id: z.string() })) })),
});

/** A host's own fields, under whose names no capability is looked for. */
const OWN: ReadonlySet<string> = new Set([
  'id',
  'hypervisor_hostname',
  'hypervisor_type',
  'hypervisor_version',
  'vcpus',
  'cpu_info',
  'memory_mb',
  'local_gb',
  'service_name',
  'reservable',
  'disabled',
  'availability_zone',
  'status',
  'trust_id',
  'created_at',
  'updated_at',
  'deleted_at',
  'deleted',
]);

type Host = z.output<typeof Hosts>['hosts'][number];

export async function askHosts(blazar: Api): Promise<readonly Host[]> {
  const { json } = await blazar.get({ path: '/os-hosts', what: HOSTS });
  return shaped(Hosts, json, HOSTS).hosts;
}

/**
 * Blazar's capabilities of hosts, by the hypervisor's name in lower case, which is a node's uuid on bare metal. The API
 * does not tell when one was set.
 *
 * @param names of capabilities that are kept, unless they are private
 */
export async function readApiCapabilities(
  blazar: Api,
  hosts: readonly Host[],
  names: readonly string[],
): Promise<ReadonlyMap<string, Capabilities>> {
  const hidden = await privateProperties(blazar);
  const told = names.filter((name) => !OWN.has(name) && !hidden.has(name));
  return new Map(
    hosts.flatMap((host): [string, Capabilities][] => {
      const node = host.hypervisor_hostname ?? '';
      const values = told.flatMap((name): [string, string][] =>
        typeof host[name] === 'string' ? [[name, host[name]]] : [],
      );
      return node === '' || values.length === 0
        ? []
        : [[node.toLowerCase(), { values: new Map(values), changed: null }]];
    }),
  );
}

/** A Blazar that has no such list (before 2022) has no private properties. */
async function privateProperties(blazar: Api): Promise<ReadonlySet<string>> {
  const answer = await blazar.get({
    path: '/os-hosts/properties',
    query: new URLSearchParams({ all: 'True', detail: 'True' }),
    what: PROPERTIES,
    accept: [404],
  });
  if (answer.status === 404) return new Set();
  const { resource_properties: properties } = shaped(Properties, answer.json, PROPERTIES);
  return new Set(
    properties.filter(({ private: isPrivate }) => isPrivate === true).map(({ property }) => property),
  );
}

export interface ApiAllocations {
  /** When Blazar told them. */
  readonly at: Seconds;
  /** Hosts by reservation; of those whose planned end has not come yet. */
  readonly hosts: ReadonlyMap<string, readonly LeaseHost[]>;
}

export async function readApiAllocations(blazar: Api, hosts: readonly Host[]): Promise<ApiAllocations> {
  const answer: ApiAnswer = await blazar.get({ path: '/os-hosts/allocations', what: ALLOCATIONS });
  const byId = new Map(hosts.map((host) => [String(host.id), host]));
  const pairs = shaped(Allocations, answer.json, ALLOCATIONS).allocations.flatMap(
    ({ resource_id: hostId, reservations }) => {
      const host = byId.get(String(hostId));
      if (host === undefined) return [];
      const names = { host: host.service_name ?? null, node: host.hypervisor_hostname ?? null };
      return reservations.map((reservation) => ({ reservation: reservation.id, names }));
    },
  );
  const byReservation = Map.groupBy(pairs, ({ reservation }) => reservation);
  return {
    at: answeredAt(answer),
    hosts: new Map([...byReservation].map(([key, own]) => [key, own.map(({ names }) => names)])),
  };
}
