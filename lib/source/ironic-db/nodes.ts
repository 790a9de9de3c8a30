import { SourceError } from '../../core/errors.ts';
import { readCapabilities } from '../blazar-db/capabilities.ts';
import type { MachinesRead } from '../machines/found.ts';
import { unixSeconds } from '../nova-db/event-rows.ts';
import { readHostSchema } from '../nova-db/host-schema.ts';
import type { CellSession, Row } from '../nova-db/session.ts';
import { type IronicNode, type NovaNode, bareMetalOf } from './node-rows.ts';
import { type PropertyChoice, asksForExtra } from './properties.ts';

/** What is read of Ironic's `nodes`, column by column: the others hold addresses, passwords and free text. */
export const NODE_COLUMNS = [
  'uuid',
  'created_at',
  'updated_at',
  'provision_state',
  'maintenance',
  'resource_class',
  'properties',
] as const;

/**
 * The bare metal nodes of Ironic, and of those that it deleted what Nova still knows.
 *
 * @param blazar undefined where Blazar's database may not be read
 */
export async function readBareMetal(
  ironic: CellSession,
  cells: readonly CellSession[],
  blazar: CellSession | undefined,
  choice: PropertyChoice,
): Promise<MachinesRead> {
  const nodes = await readNodes(ironic, choice);
  const novaNodes: NovaNode[] = [];
  for (const cell of cells) novaNodes.push(...(await readNovaNodes(cell)));
  const capabilities = blazar && (await readCapabilities(blazar, [...choice.names, choice.rack]));
  return bareMetalOf({ nodes, novaNodes, capabilities }, ironic.began, choice);
}

async function readNodes(session: CellSession, choice: PropertyChoice): Promise<IronicNode[]> {
  const extra = asksForExtra(choice) ? 'extra' : 'NULL';
  const rows = await selectNodes(
    session,
    `SELECT uuid, ${unixSeconds('created_at')}, ${unixSeconds('updated_at')}, provision_state, maintenance, ` +
      `resource_class, properties, ${extra} FROM nodes WHERE uuid IS NOT NULL ORDER BY uuid`,
    extra,
  );
  return rows.map(([uuid, created, updated, state, maintenance, resourceClass, properties, more]) => ({
    uuid: String(uuid),
    created: created as number | null,
    updated: updated as number | null,
    provisionState: state as string | null,
    maintenance: Number(maintenance) !== 0,
    resourceClass: resourceClass as string | null,
    properties: jsonObject(properties),
    extra: jsonObject(more),
  }));
}

async function selectNodes({ query }: CellSession, sql: string, extra: string): Promise<Row[]> {
  try {
    return await query(sql);
  } catch (error) {
    if (!(error instanceof SourceError) || error.transient) throw error;
    const columns = [...NODE_COLUMNS, ...(extra === 'NULL' ? [] : [extra])];
    throw new SourceError(
      `ironic: its table nodes may not be read, or is missing; grant SELECT (${columns.join(', ')}) on nodes, ` +
        'or leave the tables of machines out with STAR_TABLES=instance_events,instances',
      { transient: false, cause: error.cause },
    );
  }
}

async function readNovaNodes(session: CellSession): Promise<NovaNode[]> {
  const { nodes } = await readHostSchema(session);
  const found: NovaNode[] = [];
  for (const table of nodes) {
    const rows = await session.query(
      `SELECT hypervisor_hostname, ${unixSeconds('created_at')}, ` +
        `${unixSeconds('IF(COALESCE(deleted, 0) = 0, NULL, COALESCE(deleted_at, updated_at, created_at))')} ` +
        `FROM ${table} WHERE hypervisor_type = 'ironic' AND hypervisor_hostname IS NOT NULL`,
    );
    for (const [uuid, created, deleted] of rows)
      found.push({
        uuid: String(uuid),
        created: created as number | null,
        deleted: deleted as number | null,
      });
  }
  return found;
}

/** Empty for what is no object: a node without properties is still a node. */
export function jsonObject(text: unknown): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(typeof text === 'string' ? text : '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}
