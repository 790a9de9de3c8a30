import { SourceError } from '../../core/errors.ts';
import type { MachinesRead } from '../machines/found.ts';
import { unixSeconds } from './event-rows.ts';
import {
  type HostsOptions,
  type NodeRow,
  type ProviderRow,
  type ServiceRow,
  machinesOf,
} from './host-rows.ts';
import { type HostSchema, readHostSchema } from './host-schema.ts';
import type { CellSession, Query } from './session.ts';

/**
 * The physical hosts of all cells, live, deleted and archived; the tables are small and are read whole.
 *
 * @param placement undefined where Placement's database may not be read
 */
export async function readHosts(
  sessions: readonly CellSession[],
  placement: CellSession | undefined,
  options: HostsOptions,
): Promise<MachinesRead> {
  const providers = placement === undefined ? new Map<string, ProviderRow>() : await readProviders(placement);
  let at = 0;
  const machines = [];
  for (const session of sessions) {
    const schema = await readHostSchema(session);
    at = Math.max(at, session.began);
    const services = await readServices(session.query, schema);
    const nodes = await readNodes(session.query, schema);
    machines.push(...machinesOf(session.cell, services, nodes, providers, session.began, options));
  }
  return { at, machines, partial: false, parts: sessions.map(({ cell }) => cell) };
}

const DELETED = unixSeconds(
  'IF(COALESCE(deleted, 0) = 0, NULL, COALESCE(deleted_at, updated_at, created_at))',
);

async function readServices(query: Query, { services }: HostSchema): Promise<ServiceRow[]> {
  const found: ServiceRow[] = [];
  for (const table of services) {
    const rows = await query(
      `SELECT id, host, ${unixSeconds('created_at')}, ${DELETED}, disabled, forced_down, ` +
        `${unixSeconds('updated_at')}, ${unixSeconds('last_seen_up')} FROM ${table} ` +
        "WHERE `binary` = 'nova-compute' AND host IS NOT NULL",
    );
    for (const [id, host, created, deleted, disabled, forcedDown, updated, seen] of rows) {
      found.push({
        id: id as number,
        host: host as string,
        created: created as number | null,
        deleted: deleted as number | null,
        disabled: Number(disabled) !== 0,
        forcedDown: Number(forcedDown) !== 0,
        updated: updated as number | null,
        seen: seen as number | null,
      });
    }
  }
  return found;
}

/** Hypervisors of Ironic are left out: each is a bare-metal node, whose capacity Nova does not know. */
async function readNodes(query: Query, { nodes }: HostSchema): Promise<NodeRow[]> {
  const found = new Map<number, NodeRow>();
  for (const table of nodes) {
    const rows = await query(
      `SELECT id, uuid, host, hypervisor_hostname, ${unixSeconds('created_at')}, ${unixSeconds('updated_at')}, ` +
        `${DELETED}, vcpus, memory_mb, local_gb FROM ${table} WHERE hypervisor_type <> 'ironic' ORDER BY id`,
    );
    for (const [id, uuid, host, node, created, updated, deleted, vcpus, memoryMb, diskGb] of rows) {
      if (found.has(id as number)) continue;
      found.set(id as number, {
        id: id as number,
        uuid: uuid as string | null,
        host: host as string | null,
        node: node as string | null,
        created: created as number | null,
        updated: updated as number | null,
        deleted: deleted as number | null,
        vcpus: vcpus as number | null,
        memoryMb: memoryMb as number | null,
        diskGb: diskGb as number | null,
      });
    }
  }
  return [...found.values()];
}

/**
 * By uuid; what Placement records of capacities and of the trait that the compute of a disabled service sets.
 *
 * @throws SourceError that names the grants, where its tables may not be read
 */
export async function readProviders({ query }: CellSession): Promise<Map<string, ProviderRow>> {
  const read = async (sql: string): Promise<Awaited<ReturnType<Query>>> => {
    try {
      return await query(sql);
    } catch (error) {
      if (!(error instanceof SourceError) || error.transient) throw error;
      throw new SourceError(
        'placement: its tables may not be read, or are missing; grant SELECT on resource_providers, inventories, ' +
          'resource_provider_traits and traits, or leave placement out of the secret',
        { transient: false, cause: error.cause },
      );
    }
  };
  const inventories = await read(
    `SELECT p.uuid, i.resource_class_id, i.reserved, i.allocation_ratio, ${unixSeconds('i.updated_at')} ` +
      'FROM resource_providers p JOIN inventories i ON i.resource_provider_id = p.id ORDER BY i.resource_class_id',
  );
  const traits = await read(
    `SELECT p.uuid, ${unixSeconds('t.created_at')} FROM resource_providers p ` +
      'JOIN resource_provider_traits t ON t.resource_provider_id = p.id ' +
      "JOIN traits n ON n.id = t.trait_id WHERE n.name = 'COMPUTE_STATUS_DISABLED'",
  );
  const disabled = new Map(traits.map(([uuid, created]) => [uuid, created as number | null]));
  const providers = new Map<string, ProviderRow>();
  for (const [uuid, ...amounts] of inventories) {
    const [resource, reserved, ratio, changed] = amounts as [number, number, number, number | null];
    const before = providers.get(String(uuid));
    providers.set(String(uuid), {
      changed: changed === null ? (before?.changed ?? null) : Math.max(changed, before?.changed ?? 0),
      amounts: [before?.amounts, [resource, reserved, ratio].join(':')].filter(Boolean).join(),
      disabledAt: disabled.get(uuid ?? null) ?? null,
    });
  }
  return providers;
}
