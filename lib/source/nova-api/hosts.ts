import * as z from 'zod/mini';
import { SourceError } from '../../core/errors.ts';
import type { FoundMachine, MachinesRead } from '../machines/found.ts';
import { shaped } from './answers.ts';
import { NOVA } from '../machines/other-machines.ts';
import { type OpenApi, refuseSilentCell } from './open-api.ts';
import { answeredAt } from './other-services.ts';

const SERVICES = 'Nova: the list of services';
const HYPERVISORS = 'Nova: the list of hypervisors';

const text = z.nullish(z.string());
const count = z.nullish(z.number());
const id = z.union([z.string(), z.number()]);

/** Of a cell that does not answer three keys are left, with this status (microversion 2.69). */
const Service = z.object({
  id: z.optional(id),
  host: z.string(),
  status: text,
  state: text,
  forced_down: z.nullish(z.boolean()),
});
const ServicePage = z.object({ services: z.array(Service) });

/** Capacities up to 2.87; the source speaks 2.69 at the most. */
const Hypervisor = z.object({
  id,
  hypervisor_hostname: text,
  hypervisor_type: text,
  service: z.object({ host: z.string() }),
  vcpus: count,
  memory_mb: count,
  local_gb: count,
});
const HypervisorPage = z.object({ hypervisors: z.array(Hypervisor) });

type ListedService = z.output<typeof Service>;
type ListedHypervisor = z.output<typeof Hypervisor>;

/** What the API does not tell of machines, as manifests name it. */
export const UNSEEN_OF_MACHINES = ['removedMachines', 'machineTimes'];

/**
 * Physical hosts as the API lists them: those at hand, without any time. One that is gone is in no list.
 *
 * @throws SourceError (transient) if a cell does not answer, unless partial windows are allowed
 */
export async function readHosts({ nova, options }: Pick<OpenApi, 'nova' | 'options'>): Promise<MachinesRead> {
  const answer = await nova.get({
    path: '/os-services',
    query: new URLSearchParams({ binary: 'nova-compute' }),
    what: SERVICES,
  });
  const { services } = shaped(ServicePage, answer.json, SERVICES);
  const partial = services.some(({ status }) => status === 'UNKNOWN');
  if (partial && !options.allowPartial) refuseSilentCell();
  const byHost = new Map(services.map((service) => [service.host, service]));
  const at = answeredAt(answer);
  const machines: FoundMachine[] = [];
  for await (const { service, ...hypervisor } of hypervisors({ nova })) {
    if (hypervisor.hypervisor_type === 'ironic') continue;
    machines.push(
      machineOf(hypervisor, service.host, byHost.get(service.host), options.forcedDownDisables === true),
    );
  }
  return { at, machines, partial, parts: [NOVA] };
}

async function* hypervisors({ nova }: Pick<OpenApi, 'nova'>): AsyncGenerator<ListedHypervisor, void, void> {
  const seen = new Set<string>();
  for (let marker: string | undefined; ;) {
    const { json } = await nova.get({
      path: '/os-hypervisors/detail',
      ...(marker === undefined ? {} : { query: new URLSearchParams({ marker }) }),
      what: HYPERVISORS,
    });
    const page = shaped(HypervisorPage, json, HYPERVISORS).hypervisors;
    const fresh = page.filter((one) => !seen.has(String(one.id)));
    for (const one of fresh) seen.add(String(one.id));
    yield* fresh;
    const last = fresh.at(-1);
    // Below 2.33 there are no pages; the marker is ignored, and the same comes again.
    if (last === undefined) return;
    if (String(last.id) === marker)
      throw new SourceError(`${HYPERVISORS}: does not go on`, { transient: true });
    marker = String(last.id);
  }
}

function machineOf(
  hypervisor: Omit<ListedHypervisor, 'service'>,
  host: string,
  service: ListedService | undefined,
  forcedDownDisables: boolean,
): FoundMachine {
  const { vcpus = null, memory_mb: memoryMb = null, local_gb: diskGb = null } = hypervisor;
  const status = service?.status;
  const isForced = forcedDownDisables && service?.forced_down === true;
  return {
    key: String(hypervisor.id),
    slot: service?.id === undefined ? null : String(service.id),
    host,
    node: hypervisor.hypervisor_hostname ?? null,
    created: null,
    deleted: null,
    capacity: { vcpus, memoryMb, diskGb },
    capacityAt: null,
    alike: null,
    changedBy: null,
    enabled: status === 'enabled' ? !isForced : status === 'disabled' ? false : null,
    disabledAt: null,
    switchedAt: null,
    up: service?.state === 'up' && service.forced_down !== true,
  };
}
