import { LIVE, REQUIRED, SHADOW, type Tables, readSchema } from '../../source/nova-db/schema.ts';
import type { CellSession } from '../../source/nova-db/session.ts';
import { amount } from '../amounts.ts';
import { codeOf } from '../codes.ts';
import type { Finding, Teller } from '../finding.ts';

const JOINED = 'no trace can be made: every row joins an event, its action and its instance';
const NO_HOLE =
  'no trace can be made: a run refuses, because the events of archived servers would be missing without notice';

interface Known {
  /** As the storage engine estimates. */
  readonly rows: number;
  readonly engine: string;
  readonly columns: ReadonlySet<string>;
}

type Found = 'readable' | 'missing' | 'denied' | { readonly lacks: readonly string[] };

/** Checks each of the six tables by reading from it; it refuses what `readSchema` refuses. */
export async function* examineTables(
  session: CellSession,
  database: string,
  tell: Teller,
): AsyncGenerator<Finding, void, void> {
  const known = await catalogue(session);
  const live = await lookAt(session, LIVE, known);
  if ([...live.values()].every((found) => found === 'missing')) {
    yield tell.fatal(
      'database',
      `${database}: has none of Nova’s tables of servers`,
      'no trace can be made',
      'name a cell’s database; `nova-manage cell_v2 list_cells --verbose` lists them (nova_api is not one)',
    );
    return;
  }
  let refused = false;
  for (const [table, found] of live) {
    const finding = liveFinding(table, found, known.get(table), tell);
    refused ||= finding.verdict === 'fatal';
    yield finding;
  }
  const shadow = await lookAt(session, SHADOW, known);
  if ([...shadow.values()].every((found) => found === 'missing')) {
    yield tell.lacking(
      'shadow tables',
      'this Nova has none',
      'archived servers: only the live tables have history',
    );
  } else {
    for (const [table, found] of shadow) {
      const finding = shadowFinding(table, found, known.get(table), tell);
      refused ||= finding.verdict === 'fatal';
      yield finding;
    }
  }
  if (refused) return;
  yield* asARunSees(session, tell);
  yield* transactionless(known, tell);
}

async function catalogue({ query }: CellSession): Promise<ReadonlyMap<string, Known>> {
  const names = [...Object.values(LIVE), ...Object.values(SHADOW)];
  const of = 'WHERE table_schema = DATABASE() AND table_name IN (?)';
  const columns = new Map<string, Set<string>>();
  const listed = `SELECT table_name, column_name FROM information_schema.columns ${of}`;
  for (const [table, column] of await query(listed, [names])) {
    const all = columns.get(String(table)) ?? new Set();
    columns.set(String(table), all.add(String(column).toLowerCase()));
  }
  const tables = await query(`SELECT table_name, table_rows, engine FROM information_schema.tables ${of}`, [
    names,
  ]);
  return new Map(
    tables.map(([table, rows, engine]) => [
      String(table),
      {
        rows: Number(rows ?? 0),
        engine: String(engine ?? ''),
        columns: columns.get(String(table)) ?? new Set(),
      },
    ]),
  );
}

async function lookAt(
  session: CellSession,
  tables: Tables,
  known: ReadonlyMap<string, Known>,
): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const role of ['events', 'actions', 'instances'] as const) {
    const table = tables[role];
    const columns = known.get(table)?.columns ?? new Set();
    const lacks = columns.size === 0 ? [] : REQUIRED[role].filter((column) => !columns.has(column));
    found.set(table, lacks.length > 0 ? { lacks } : await readOne(session, table, role));
  }
  return found;
}

/** Grants may mislead, so the columns are read. */
async function readOne(session: CellSession, table: string, role: keyof Tables): Promise<Found> {
  try {
    await session.query(`SELECT ${REQUIRED[role].join(', ')} FROM ${table} LIMIT 1`);
    return 'readable';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ER_NO_SUCH_TABLE') return 'missing';
    if (code === 'ER_TABLEACCESS_DENIED_ERROR' || code === 'ER_COLUMNACCESS_DENIED_ERROR') return 'denied';
    throw error;
  }
}

function liveFinding(table: string, found: Found, known: Known | undefined, tell: Teller): Finding {
  const check = `table ${table}`;
  if (found === 'readable') return tell.fine(check, readable(known));
  if (found === 'missing') {
    return tell.fatal(check, 'is missing', JOINED, 'is this the database of a cell?');
  }
  if (found === 'denied') {
    return tell.fatal(check, 'may not be read, or is missing', JOINED, `grant SELECT on ${table}`);
  }
  return tell.fatal(check, lacking(found), JOINED, 'grant SELECT on the whole table; is it Nova’s?');
}

function shadowFinding(table: string, found: Found, known: Known | undefined, tell: Teller): Finding {
  const check = `table ${table}`;
  if (found === 'readable') return tell.fine(check, readable(known));
  if (found === 'missing') {
    const remedy = 'restore it, empty, with the columns of the live table';
    return tell.fatal(check, 'is missing, though other shadow tables are there', NO_HOLE, remedy);
  }
  if (found === 'denied') {
    return tell.fatal(
      check,
      'may not be read, or is missing',
      NO_HOLE,
      `grant SELECT on ${table}, or on the whole database where this Nova has no shadow tables`,
    );
  }
  return tell.fatal(check, lacking(found), NO_HOLE, 'grant SELECT on the whole table; is it Nova’s?');
}

function readable(known: Known | undefined): string {
  return known === undefined || known.rows === 0 ? 'readable' : `readable, about ${amount(known.rows)} rows`;
}

function lacking({ lacks }: { readonly lacks: readonly string[] }): string {
  return `lacks the column ${lacks.join(', ')}, or it may not be read`;
}

/** Uses the same code as a run. */
async function* asARunSees(session: CellSession, tell: Teller): AsyncGenerator<Finding, void, void> {
  const { eventHost } = await readSchema(session);
  yield eventHost
    ? tell.fine('hosts of events', 'kept')
    : tell.lacking(
        'hosts of events',
        'not kept: instance_actions_events has no column host (Nova before Rocky)',
        'where an event ran: the server’s present host is used, even for events before a migration',
      );
}

/** Only InnoDB gives a snapshot. */
function* transactionless(known: ReadonlyMap<string, Known>, tell: Teller): Generator<Finding, void, void> {
  const others = [...known].filter(([, { engine }]) => engine !== 'InnoDB');
  if (others.length === 0) return;
  yield tell.lacking(
    'storage engine',
    others.map(([table, { engine }]) => `${table} is ${engine}`).join(', '),
    'these tables are not in the snapshot: a row that is archived while a window is read may be missed, or the run may fail',
    'ALTER TABLE … ENGINE=InnoDB, as Nova makes them',
  );
}
