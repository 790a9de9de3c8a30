import { SourceError } from '../../core/errors.ts';
import type { CellSession } from './session.ts';

/** Tables of a cell that tell of physical hosts: the live one, and its shadow where this Nova has one. */
export interface HostSchema {
  readonly services: readonly string[];
  readonly nodes: readonly string[];
}

export const HOST_TABLES = {
  services: ['services', 'shadow_services'],
  nodes: ['compute_nodes', 'shadow_compute_nodes'],
} as const;

/** How an operator does without. */
const WITHOUT_HOSTS = 'leave the tables of machines out with STAR_TABLES=instance_events,instances';

/**
 * Finds out which of the tables may be read.
 *
 * @throws SourceError naming all that may not: reading on without one would leave a silent hole
 */
export async function readHostSchema(session: CellSession): Promise<HostSchema> {
  const readable: string[] = [];
  const denied: string[] = [];
  for (const table of [...HOST_TABLES.services, ...HOST_TABLES.nodes]) {
    const found = await lookAt(session, table);
    if (found === 'readable') readable.push(table);
    else if (found === 'denied' || !table.startsWith('shadow_')) denied.push(table);
  }
  if (denied.length > 0) {
    throw new SourceError(
      `cell ${session.cell}: the table(s) ${denied.join(', ')} may not be read, or are missing; grant SELECT on them, ` +
        `or ${WITHOUT_HOSTS}`,
      { transient: false },
    );
  }
  const isReadable = (table: string): boolean => readable.includes(table);
  return {
    services: HOST_TABLES.services.filter(isReadable),
    nodes: HOST_TABLES.nodes.filter(isReadable),
  };
}

async function lookAt({ query }: CellSession, table: string): Promise<'readable' | 'missing' | 'denied'> {
  try {
    await query(`SELECT 1 FROM ${table} LIMIT 0`);
    return 'readable';
  } catch (error) {
    const code = error instanceof SourceError && error.cause instanceof Error ? error.cause.message : '';
    if (code === 'ER_NO_SUCH_TABLE') return 'missing';
    if (code !== 'ER_TABLEACCESS_DENIED_ERROR') throw error;
    return 'denied';
  }
}
