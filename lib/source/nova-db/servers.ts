import { DAY, type Seconds } from '../../core/time.ts';
import { floorTo } from '../../core/window.ts';
import type { Server } from '../../tables/instances/row.ts';
import { type Batch, NO_COUNTS, type Outcome, type ReadRequest } from '../source.ts';
import { DISORDER, highestServer } from './bounds.ts';
import { refuseLostCells } from './lost-cells.ts';
import { mergeCells } from './merge-cells.ts';
import type { OpenDatabases, OpenReservations } from './open-databases.ts';
import type { FindReservations } from './reservations.ts';
import { type CellSchema, readSchema } from './schema.ts';
import { ALL_SERVERS, type ServerRanges, nextRanges, restoreRanges, storedRanges } from './server-ranges.ts';
import { type ServerRow, existedIn, selectServers, serverOf } from './server-rows.ts';
import type { CellSession } from './session.ts';
import { otherCellsOf } from './in-other-cells.ts';

/** Every server of all cells that existed in the window, once. */
export async function* readServers(
  { cells, retiredCells, sessions, openReservations }: OpenDatabases,
  request: ReadRequest,
): AsyncGenerator<Batch<Server>, Outcome, void> {
  const known = restoreRanges(request.state);
  refuseLostCells(known.keys(), cells, retiredCells);
  await using reservations = await openReservations?.();
  const outcomes = yield* mergeCells(
    sessions.map((session) =>
      readCellServers(session, sessions, known.get(session.cell) ?? ALL_SERVERS, request, reservations),
    ),
  );
  const skipped: Record<string, number> = {};
  for (const { copies } of outcomes) if (copies > 0) skipped['copied'] = (skipped['copied'] ?? 0) + copies;
  return {
    state: Object.fromEntries(outcomes.map(({ next }, nth) => [cells[nth]?.cell ?? '', storedRanges(next)])),
    counts: { ...NO_COUNTS, skipped },
    sourceFrom: null,
  };
}

interface CellServers {
  readonly next: ServerRanges;
  /** Rows left out because another cell has the server. */
  readonly copies: number;
}

async function* readCellServers(
  session: CellSession,
  sessions: readonly CellSession[],
  ranges: ServerRanges,
  { window, progress }: ReadRequest,
  reservations: OpenReservations | undefined,
): AsyncGenerator<Batch<Server>, CellServers, void> {
  const schema = await readSchema(session);
  const highest = await highestServer(session.query, schema);
  const findPreferred = await otherCellsOf(session, sessions);
  const findReservations = await reservations?.of(session);
  const living: number[] = [];
  let [copies, mark] = [0, -Infinity];
  for await (const rows of pieces(session, schema, window.start, ranges, highest)) {
    for (const { id, deleted } of rows) if ((deleted ?? Infinity) >= window.end) living.push(id);
    const wanted = rows.filter((row) => !row.hidden && existedIn(row, window));
    const elsewhere = await findPreferred(wanted);
    const own = wanted.filter(({ uuid }) => !elsewhere.has(uuid)).map((row) => serverOf(row, window));
    const servers = findReservations === undefined ? own : await withReservations(own, findReservations);
    copies += wanted.length - servers.length;
    progress?.done(rows.length, servers.length);
    mark = Math.max(mark, reached(rows));
    yield { rows: servers, watermark: mark };
  }
  return { next: nextRanges(living, highest, ranges), copies };
}

/** Of servers whose zone does not tell. */
async function withReservations(
  servers: readonly Server[],
  findReservations: FindReservations,
): Promise<Server[]> {
  const asked = servers.filter(({ reservationId }) => reservationId === null).map(({ uuid }) => uuid);
  const found = await findReservations(asked);
  return servers.map((server) => ({
    ...server,
    reservationId: server.reservationId ?? found.get(server.uuid) ?? null,
  }));
}

/** Rows are placed by the day of their creation, which their ids follow but for the clocks of several conductors. */
function reached(rows: readonly ServerRow[]): number {
  const latest = rows.reduce((most: Seconds, { created }) => Math.max(most, created ?? 0), 0);
  return floorTo(latest - DISORDER, DAY);
}

/** A range up to this long is read together with others in one statement. */
const SHORT = 64;
const RANGES_PER_STATEMENT = 200;
/** A longer one is read in steps: few enough ids that a statement is quick and its answer fits in memory. */
const IDS_AT_ONCE = 20_000;

/** The servers of ranges that were not deleted before a time, in pieces, in about the order of their ids. */
async function* pieces(
  session: CellSession,
  schema: CellSchema,
  since: Seconds,
  ranges: ServerRanges,
  highest: number,
): AsyncGenerator<ServerRow[], void, void> {
  const read = (where: string, parameters: readonly number[]): Promise<ServerRow[]> =>
    selectServers(session, schema, since, `(${where})`, parameters);
  const between = 'id BETWEEN ? AND ?';
  let short: number[] = [];
  const readShort = (): Promise<ServerRow[]> => {
    const parameters = short;
    short = [];
    return read(Array.from({ length: parameters.length / 2 }, () => between).join(' OR '), parameters);
  };
  for (const [first, end] of ranges) {
    const last = Math.min(end, highest);
    if (last < first) continue;
    const isShort = last - first < SHORT;
    if (short.length > 0 && (!isShort || short.length === RANGES_PER_STATEMENT * 2)) yield await readShort();
    if (isShort) short.push(first, last);
    else {
      for (let from = first; from <= last; from += IDS_AT_ONCE)
        yield await read(between, [from, Math.min(last, from + IDS_AT_ONCE - 1)]);
    }
  }
  if (short.length > 0) yield await readShort();
}
