import type { Seconds } from '../../core/time.ts';
import type { Capabilities } from '../ironic-db/node-rows.ts';
import { unixSeconds } from '../nova-db/event-rows.ts';
import type { CellSession } from '../nova-db/session.ts';
import { type BlazarSchema, hasColumn, readBlazarSchema } from './schema.ts';

const HOLDER = 'computehost_extra_capabilities';

/**
 * Blazar's capabilities of hosts, by the hypervisor's name in lower case, which is a node's uuid on bare metal.
 *
 * @param names of capabilities that are read; the others stay where they are
 */
export async function readCapabilities(
  session: CellSession,
  names: readonly string[],
): Promise<ReadonlyMap<string, Capabilities>> {
  const from = capabilitiesFrom(await readBlazarSchema(session));
  if (from === undefined || names.length === 0) return new Map();
  const rows = await session.query(
    `SELECT h.hypervisor_hostname, ${from.name}, c.capability_value, ` +
      `${unixSeconds('GREATEST(c.created_at, COALESCE(c.updated_at, c.created_at))')} FROM ${from.tables} ` +
      `WHERE h.hypervisor_hostname IS NOT NULL AND ${from.name} IN (?) ORDER BY 4, 3`,
    [names],
  );
  const byNode = Map.groupBy(rows, ([node]) => String(node).toLowerCase());
  return new Map(
    [...byNode].map(([node, found]) => [
      node,
      {
        values: new Map(found.map(([, name, value]) => [String(name), String(value)])),
        changed: found.reduce<Seconds | null>(
          (latest, [, , , set]) => (set === null ? latest : Math.max(Number(set), latest ?? 0)),
          null,
        ),
      },
    ]),
  );
}

interface From {
  readonly tables: string;
  readonly name: string;
}

/**
 * The name stands in the table itself (before 2020), or beside it: in `extra_capabilities` (Chameleon for a time), or in
 * `resource_properties`, which may call a property private. Undefined where they may not be read.
 */
function capabilitiesFrom(schema: BlazarSchema): From | undefined {
  if (
    !hasColumn(schema, HOLDER, 'capability_value') ||
    !hasColumn(schema, 'computehosts', 'hypervisor_hostname')
  )
    return undefined;
  const live = (table: string, alias: string): string =>
    hasColumn(schema, table, 'deleted_at') ? ` AND ${alias}.deleted_at IS NULL` : '';
  const hosts =
    `${HOLDER} c JOIN computehosts h ON h.id = c.computehost_id` +
    `${live('computehosts', 'h')}${live(HOLDER, 'c')}`;
  if (hasColumn(schema, HOLDER, 'property_id') && hasColumn(schema, 'resource_properties', 'property_name')) {
    const open = hasColumn(schema, 'resource_properties', 'private') ? ' AND p.private = 0' : '';
    const named = `JOIN resource_properties p ON p.id = c.property_id${open}${live('resource_properties', 'p')}`;
    return { tables: `${hosts} ${named}`, name: 'p.property_name' };
  }
  if (
    hasColumn(schema, HOLDER, 'capability_id') &&
    hasColumn(schema, 'extra_capabilities', 'capability_name')
  ) {
    const named = `JOIN extra_capabilities p ON p.id = c.capability_id${live('extra_capabilities', 'p')}`;
    return { tables: `${hosts} ${named}`, name: 'p.capability_name' };
  }
  return hasColumn(schema, HOLDER, 'capability_name')
    ? { tables: hosts, name: 'c.capability_name' }
    : undefined;
}
