import type { TraceEvent } from '../../tables/instance-events/row.ts';
import type { EventRow } from './event-rows.ts';
import type { InstanceLookup } from './instances.ts';

/** The events of finished rows. A row that is no event gives the reason why it is skipped. */
export async function finishedEvents(
  rows: readonly EventRow[],
  skip: (reason: string) => void,
  lookup: InstanceLookup,
): Promise<TraceEvent[]> {
  const instances = await lookup(rows);
  const events: TraceEvent[] = [];
  rows.forEach((row, nth) => {
    const instance = instances[nth];
    if (instance === undefined) skip(row.instanceUuid === null ? 'actionGone' : 'instanceGone');
    else if (row.start === null || row.finish === null) skip('noStartTime');
    else {
      const { event, start, finish, result, host } = row;
      events.push({ instance, event, start, finish, result, host });
    }
  });
  return events;
}
