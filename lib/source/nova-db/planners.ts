import type { Window } from '../../core/window.ts';
import { instanceEvents } from '../../tables/instance-events/table.ts';
import { instances } from '../../tables/instances/table.ts';
import { planCell } from './plan.ts';
import { planServers } from './server-plan.ts';
import { storedRanges } from './server-ranges.ts';
import type { CellSession } from './session.ts';
import { storePlan } from './state.ts';

/** By range, what a table's reader would remember of a cell at its start. */
type Planner = (
  session: CellSession,
  ranges: readonly Window[],
  hasCopies: boolean,
) => Promise<readonly object[]>;

/** How the reading of past windows is planned, for tables of which the reader would look back in each range. */
export const PLANNERS: Readonly<Record<string, Planner>> = {
  [instanceEvents.name]: async (...cell) => (await planCell(...cell)).map(storePlan),
  [instances.name]: async (...cell) => (await planServers(...cell)).map(storedRanges),
};
