import { DAY, type Seconds } from '../../core/time.ts';
import type { LeaseEvent } from '../../tables/lease-events/row.ts';
import { leaseEvents } from '../../tables/lease-events/table.ts';
import type { Lease } from '../../tables/leases/row.ts';
import { changesOutcome } from '../changes-outcome.ts';
import { type Batch, NO_COUNTS, type Outcome, type ReadRequest } from '../source.ts';
import type { Seal } from '../seal.ts';
import { type Compared, compareLeases } from './compare.ts';
import type { LeasesRead } from './found.ts';
import { type LeasesState, restoreLeases, storeLeases } from './state.ts';

/** What a source gives the readers of leases, whatever it is. */
export interface LeasesSource {
  /**
   * Reads once an opening, however many tables ask.
   *
   * @param since leases that were deleted before need not be shown
   */
  readonly leases: (since: Seconds) => Promise<LeasesRead>;
  readonly seal: Seal | undefined;
  /** Of an API, for the outcome. */
  readonly view?: () => Pick<Outcome, 'api'>;
}

/** Changes of leases since the window before. */
export async function* readLeaseEvents(
  source: LeasesSource,
  request: ReadRequest,
): AsyncGenerator<Batch<LeaseEvent>, Outcome, void> {
  const before = request.state === undefined ? undefined : restoreLeases(request.state);
  const { read, compared } = await compare(source, request, before);
  const told = changesOutcome(compared, storeLeases(compared.next), read, before);
  const outcome = { ...told, ...source.view?.() };
  yield { rows: compared.events, watermark: Infinity, outcome };
  return outcome;
}

/** The state to which the window's changes lead. */
export async function* readLeases(
  source: LeasesSource,
  request: ReadRequest,
): AsyncGenerator<Batch<Lease>, Outcome, void> {
  const stored = request.others?.[leaseEvents.name];
  const before = stored === undefined ? undefined : restoreLeases(stored);
  const { compared } = await compare(source, request, before);
  yield { rows: compared.leases, watermark: Infinity };
  return { state: {}, counts: NO_COUNTS, sourceFrom: null, ...source.view?.() };
}

/** What was deleted in the window before may be committed late. */
const MARGIN: Seconds = DAY;

async function compare(
  { leases, seal }: LeasesSource,
  { window, begin, opens = true, whole }: ReadRequest,
  before: LeasesState | undefined,
): Promise<{ read: LeasesRead; compared: Compared }> {
  const read = await leases((before?.until ?? window.start) - MARGIN);
  return { read, compared: compareLeases({ before, read, window, begin, opens, bounds: !whole, seal }) };
}
