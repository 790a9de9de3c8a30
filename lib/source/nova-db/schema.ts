import { SourceError } from '../../core/errors.ts';
import type { CellSession } from './session.ts';

/** The tables read, live and archived. `nova-manage db archive_deleted_rows` moves rows over, ids kept. */
export interface Tables {
  readonly events: string;
  readonly actions: string;
  readonly instances: string;
}

export const LIVE: Tables = {
  events: 'instance_actions_events',
  actions: 'instance_actions',
  instances: 'instances',
};

export const SHADOW: Tables = {
  events: 'shadow_instance_actions_events',
  actions: 'shadow_instance_actions',
  instances: 'shadow_instances',
};

export interface CellSchema {
  /** Live tables, and their shadows where this Nova has them. */
  readonly tables: readonly Tables[];
  /** `instance_actions_events.host` came with Rocky. */
  readonly eventHost: boolean;
  /** `instances.hidden` came with Train. */
  readonly instanceHidden: boolean;
}

/** By role of a table. */
export const REQUIRED: Readonly<Record<keyof Tables, readonly string[]>> = {
  events: ['id', 'event', 'action_id', 'created_at', 'start_time', 'finish_time', 'result'],
  actions: ['id', 'instance_uuid'],
  instances: [
    'id',
    'uuid',
    'created_at',
    'updated_at',
    'launched_at',
    'deleted_at',
    'deleted',
    'vm_state',
    'availability_zone',
    'hostname',
    'user_id',
    'project_id',
    'host',
    'node',
    'memory_mb',
    'root_gb',
    'vcpus',
  ],
};

/**
 * Finds out what this Nova's tables look like.
 *
 * @throws SourceError where a live table or column is missing, or a table is there but may not be read: reading on
 *   without it would leave a silent hole
 */
export async function readSchema(session: CellSession): Promise<CellSchema> {
  const columns = new Map<string, Set<string>>();
  const rows = await session.query(
    'SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()' +
      ' AND table_name IN (?)',
    [[...Object.values(LIVE), ...Object.values(SHADOW)]],
  );
  for (const [table, column] of rows) {
    const name = String(table);
    columns.set(name, (columns.get(name) ?? new Set()).add(String(column).toLowerCase()));
  }
  for (const [role, table] of Object.entries(LIVE)) requireColumns(session, table, columns.get(table), role);

  const withShadow = await hasShadow(session, columns);
  if (withShadow) {
    for (const [role, table] of Object.entries(SHADOW))
      requireColumns(session, table, columns.get(table), role);
  }
  const tables = withShadow ? [LIVE, SHADOW] : [LIVE];
  return {
    tables,
    eventHost: tables.every(({ events }) => columns.get(events)?.has('host')),
    instanceHidden: tables.every(({ instances }) => columns.get(instances)?.has('hidden')),
  };
}

function requireColumns(
  session: CellSession,
  table: string,
  found: Set<string> | undefined,
  role: string,
): void {
  if (found === undefined) {
    throw fatal(
      session,
      `table ${table} is missing or may not be read; is this a cell database? docs/nova-database.md lists the GRANTs`,
    );
  }
  const missing = REQUIRED[role as keyof Tables].filter((column) => !found.has(column));
  if (missing.length > 0) throw fatal(session, `table ${table} lacks the column ${missing.join(', ')}`);
}

/**
 * The catalogue shows only what the user may read, so a table that is not shown may be missing or merely not
 * granted. Asking for it tells the two apart.
 */
async function hasShadow(session: CellSession, columns: ReadonlyMap<string, unknown>): Promise<boolean> {
  const hidden = Object.values(SHADOW).filter((table) => !columns.has(table));
  if (hidden.length === 0) return true;
  for (const table of hidden) {
    try {
      await session.query(`SELECT 1 FROM ${table} LIMIT 0`);
    } catch (error) {
      const code = error instanceof SourceError && error.cause instanceof Error ? error.cause.message : '';
      if (code === 'ER_NO_SUCH_TABLE') continue;
      if (code !== 'ER_TABLEACCESS_DENIED_ERROR') throw error;
      throw fatal(
        session,
        `table ${table} may not be read, or is missing; grant SELECT on it, or on the whole database ` +
          'where this Nova has no shadow tables',
      );
    }
  }
  if (hidden.length < Object.values(SHADOW).length) {
    throw fatal(session, `table ${hidden.join(', ')} is missing though other shadow tables are there`);
  }
  return false;
}

function fatal(session: CellSession, message: string): SourceError {
  return new SourceError(`cell ${session.cell}: ${message}`, { transient: false });
}
