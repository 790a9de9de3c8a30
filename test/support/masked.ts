import type { MaskedEvent, TraceEvent } from '../../lib/tables/instance-events/row.ts';
import { instanceEvents } from '../../lib/tables/instance-events/table.ts';
import type { Mask } from '../../lib/tables/table.ts';
import { createMask } from '../../lib/transform/mask.ts';
import { openTransform } from '../../lib/transform/transform.ts';

const SETTINGS = {
  hostFrom: 'event',
  excludeUsers: new Set<string>(),
  excludeProjects: new Set<string>(),
} as const;

/** Masks events as a drop does; instances of all calls are masked once. */
export function maskEvents(mask: Mask): (events: readonly TraceEvent[]) => MaskedEvent[] {
  return openTransform(instanceEvents, SETTINGS, mask).apply;
}

/** With masking off every column may hold anything. */
export function unmasked(events: readonly TraceEvent[]): MaskedEvent[] {
  return maskEvents(createMask('none', Buffer.alloc(0)))(events);
}
