import type { Seconds } from '../../core/time.ts';
import { DOWN_AFTER } from '../machines/compare.ts';
import type { FoundMachine } from '../machines/found.ts';

/** A row of `services`: that of a nova-compute, one a host. */
export interface ServiceRow {
  readonly id: number;
  readonly host: string;
  readonly created: Seconds | null;
  readonly deleted: Seconds | null;
  readonly disabled: boolean;
  readonly forcedDown: boolean;
  /** The last heartbeat, or what was done to the service since. */
  readonly updated: Seconds | null;
  readonly seen: Seconds | null;
}

/** A row of `compute_nodes`: a hypervisor. */
export interface NodeRow {
  readonly id: number;
  readonly uuid: string | null;
  readonly host: string | null;
  readonly node: string | null;
  readonly created: Seconds | null;
  readonly updated: Seconds | null;
  readonly deleted: Seconds | null;
  readonly vcpus: number | null;
  readonly memoryMb: number | null;
  readonly diskGb: number | null;
}

/** What Placement knows of a hypervisor. */
export interface ProviderRow {
  /** When its capacity, its reserved amounts or its ratios changed last. */
  readonly changed: Seconds | null;
  /** Its reserved amounts and ratios, as one text. */
  readonly amounts: string;
  /** When it was disabled. */
  readonly disabledAt: Seconds | null;
}

export interface HostsOptions {
  /** Whether a host that is forced down counts as disabled. */
  readonly forcedDownDisables: boolean;
}

/**
 * The machines of one cell.
 *
 * @param providers by the uuid of the hypervisor
 * @param at when they were read
 */
export function machinesOf(
  cell: string,
  services: readonly ServiceRow[],
  nodes: readonly NodeRow[],
  providers: ReadonlyMap<string, ProviderRow>,
  at: Seconds,
  { forcedDownDisables }: HostsOptions,
): FoundMachine[] {
  const byHost = Map.groupBy(services, ({ host }) => host);
  return nodes.flatMap((node) => {
    const { id, uuid, host, created, updated, deleted, vcpus, memoryMb, diskGb } = node;
    if (host === null) return [];
    const service = serviceOf(node, byHost.get(host) ?? []);
    const live = deleted === null && service?.deleted === null ? service : undefined;
    const provider = providers.get(uuid ?? '');
    const forced = live?.forcedDown === true;
    const isReporting = live !== undefined && at - (live.seen ?? 0) <= DOWN_AFTER;
    return [
      {
        key: `${cell}/${id}`,
        slot: service === undefined ? null : `${cell}/${service.id}`,
        host,
        node: node.node,
        created,
        deleted,
        capacity: { vcpus, memoryMb, diskGb },
        capacityAt: provider?.changed ?? null,
        alike: provider?.amounts ?? null,
        changedBy: updated,
        enabled: live === undefined ? null : !(live.disabled || (forcedDownDisables && forced)),
        disabledAt: live?.disabled === true ? (provider?.disabledAt ?? null) : null,
        switchedAt: live === undefined ? null : switchedAt(live, forcedDownDisables),
        up: isReporting && !forced,
      },
    ];
  });
}

/** A host that was removed and came back has two services: a hypervisor belongs to the one of its time. */
function serviceOf({ deleted }: NodeRow, services: readonly ServiceRow[]): ServiceRow | undefined {
  const live = services.find((service) => service.deleted === null);
  if (deleted === null) return live;
  const ofItsTime = services.filter(
    (service) => (service.created ?? 0) <= deleted && (service.deleted ?? Infinity) >= deleted - MARGIN,
  );
  return ofItsTime.toSorted((a, b) => (b.created ?? 0) - (a.created ?? 0))[0];
}

/** Service and hypervisor are deleted one after the other. */
const MARGIN: Seconds = 5;

/**
 * `updated_at` moves with each heartbeat. It tells the time of a change only where it is later than the last heartbeat.
 * Being forced down moves it, too.
 */
function switchedAt({ updated, seen, forcedDown }: ServiceRow, forcedDownDisables: boolean): Seconds | null {
  if (updated === null || seen === null || updated <= seen) return null;
  return forcedDown && !forcedDownDisables ? null : updated;
}
