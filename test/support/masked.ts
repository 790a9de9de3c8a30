import type { MaskedEvent, TraceEvent } from '../../lib/tables/instance-events/row.ts';
import { instanceEvents } from '../../lib/tables/instance-events/table.ts';
import type { MaskedServer } from '../../lib/tables/instances/row.ts';
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

/** A masked server that has run on a host since long ago, but for what a test says; its masks may be anything. */
export function maskedServer(
  overrides: Partial<{ [K in keyof MaskedServer]: MaskedServer[K] | string }> = {},
): MaskedServer {
  return {
    uuid: 'server',
    hostname: 'name',
    userId: 'user',
    projectId: 'project',
    memoryMb: 2048,
    rootGb: 20,
    vcpus: 2,
    created: 1_700_000_000,
    launched: null,
    deleted: null,
    state: 'active',
    reservationId: null,
    host: 'host',
    ...overrides,
  } as MaskedServer;
}
