import type { MachineEvent } from '../../tables/machine-events/row.ts';
import { machineEvents } from '../../tables/machine-events/table.ts';
import type { Machine } from '../../tables/machines/row.ts';
import { changesOutcome } from '../changes-outcome.ts';
import { type Batch, NO_COUNTS, type Outcome, type ReadRequest } from '../source.ts';
import { type Compared, compareMachines } from './compare.ts';
import type { MachinesRead } from './found.ts';
import type { Seal } from '../seal.ts';
import { type MachinesState, restoreMachines, storeMachines } from './state.ts';

/** What a source gives the readers of machines, whatever it is. */
export interface MachinesSource {
  /** Reads once an opening, however many tables ask. */
  readonly machines: () => Promise<MachinesRead>;
  readonly seal: Seal | undefined;
  /** @throws InputError where one of the parts that were read before is missing now */
  readonly refuseLost?: (parts: readonly string[]) => void;
  /** Of an API, for the outcome. */
  readonly view?: () => Pick<Outcome, 'api'>;
}

/** Changes of machines since the window before. */
export async function* readMachineEvents(
  source: MachinesSource,
  request: ReadRequest,
): AsyncGenerator<Batch<MachineEvent>, Outcome, void> {
  const before = request.state === undefined ? undefined : restoreMachines(request.state);
  const { read, compared } = await compare(source, request, before);
  const told = changesOutcome(compared, storeMachines(compared.next), read, before);
  const outcome = { ...told, ...source.view?.() };
  yield { rows: compared.events, watermark: Infinity, outcome };
  return outcome;
}

/** The state to which the window's changes lead. */
export async function* readMachines(
  source: MachinesSource,
  request: ReadRequest,
): AsyncGenerator<Batch<Machine>, Outcome, void> {
  const stored = request.others?.[machineEvents.name];
  const before = stored === undefined ? undefined : restoreMachines(stored);
  const { window, passFrom = window.start } = request;
  // As the events have it, which are told from the start of the pass on.
  const { compared } = await compare(source, { ...request, window: { ...window, start: passFrom } }, before);
  const rows = compared.machines.filter(({ deleted }) => deleted === null || deleted >= window.start);
  yield { rows, watermark: Infinity };
  return { state: {}, counts: NO_COUNTS, sourceFrom: null, ...source.view?.() };
}

async function compare(
  { machines, seal, refuseLost }: MachinesSource,
  { window, begin, opens = true, whole }: ReadRequest,
  before: MachinesState | undefined,
): Promise<{ read: MachinesRead; compared: Compared }> {
  refuseLost?.(before?.parts ?? []);
  const read = await machines();
  return {
    read,
    compared: compareMachines({ before, read, window, begin, opens, bounds: !whole, seal }),
  };
}
