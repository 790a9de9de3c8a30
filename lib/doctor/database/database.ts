import { disposables } from '../../core/disposables.ts';
import type { CellConnection, DatabaseConnection, ServiceName } from '../../connection/connection.ts';
import { asSourceError, withoutCell } from '../codes.ts';
import type { ExamineOptions } from '../options.ts';
import { type Finding, teller, verdictOf } from '../finding.ts';
import { type OpenedCell, examineCells } from './cells.ts';
import { examineHosts } from './hosts.ts';
import { examineHistory } from './history.ts';
import { examineLogin, openExamined } from './login.ts';
import { examinePrivileges } from './privileges.ts';
import { EXAMINED_SERVICES, examineFlavours } from './services.ts';
import { examineServer } from './server.ts';
import { examineTables } from './tables.ts';

/** Every cell by itself, then the databases of other services that the secret has, then all cells together. */
export async function* examineDatabases(
  { cells, services }: DatabaseConnection,
  { signal, settleSeconds }: ExamineOptions,
): AsyncGenerator<Finding, void, void> {
  await using sessions = disposables();
  const opened: OpenedCell[] = [];
  for (const connection of cells) {
    const tell = teller(connection.cell);
    const session = yield* openExamined(connection, tell, signal);
    if (session === undefined) continue;
    sessions.use(session);
    yield* guarded('connection', connection.cell, signal, () => examineLogin(session, connection, tell));
    yield* guarded('server', connection.cell, signal, () => examineServer(session, tell, settleSeconds));

    const found: Finding[] = [];
    const tables = guarded('tables', connection.cell, signal, () =>
      examineTables(session, connection.database, tell),
    );
    for await (const finding of tables) {
      found.push(finding);
      yield finding;
    }
    yield* guarded('privileges', connection.cell, signal, () =>
      examinePrivileges(session, connection.database, tell),
    );
    if (verdictOf(found) === 'fatal') continue;
    opened.push({ connection, session });
    yield* guarded('tables of machines', connection.cell, signal, () => examineHosts(session, tell));
    if (services.blazar !== undefined)
      yield* guarded('flavours of servers', connection.cell, signal, () => examineFlavours(session, tell));
    yield* guarded('history', connection.cell, signal, () => examineHistory(session, tell));
  }
  for (const [name, connection] of Object.entries(services))
    yield* examineOther(name as ServiceName, connection, signal);
  yield* guarded('cells', undefined, signal, () => examineCells(cells, opened));
}

/** The database of another service, in which only its own tables are looked for. */
async function* examineOther(
  name: ServiceName,
  connection: CellConnection,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, void> {
  const tell = teller(name);
  await using session = yield* openExamined(connection, tell, signal);
  if (session === undefined) return;
  yield* guarded('connection', name, signal, () => examineLogin(session, connection, tell));
  yield* guarded('tables', name, signal, () => EXAMINED_SERVICES[name](session, tell));
}

/** A check that fails is a finding, too; the next one may still find something. */
async function* guarded(
  check: string,
  cell: string | undefined,
  signal: AbortSignal,
  examine: () => AsyncIterable<Finding>,
): AsyncGenerator<Finding, void, void> {
  try {
    yield* examine();
  } catch (error) {
    yield teller(cell).fatal(
      check,
      withoutCell(asSourceError(error, signal)),
      'unknown: a run needs to read what could not be read here',
    );
  }
}
