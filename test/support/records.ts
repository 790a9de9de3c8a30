import type { Instance, TraceEvent } from '../../lib/tables/instance-events/row.ts';

/** A server with everything set, but for what a test says. */
export function instance(overrides: Partial<Instance> = {}): Instance {
  return {
    uuid: '8f2c5f0e-6b0e-4a57-9d8e-3a1d9c2b7e10',
    hostname: 'web-1',
    userId: 'user-1',
    projectId: 'project-1',
    host: 'cmp-1',
    node: 'node-1',
    memoryMb: 2048,
    rootGb: 20,
    vcpus: 2,
    ...overrides,
  };
}

/** A stop of that server, of five seconds. */
export function traceEvent(overrides: Partial<TraceEvent> = {}, of: Partial<Instance> = {}): TraceEvent {
  return {
    instance: instance(of),
    event: 'compute_stop_instance',
    start: Date.parse('2026-11-22T08:15:00Z') / 1000,
    finish: Date.parse('2026-11-22T08:15:05Z') / 1000,
    result: 'Success',
    host: 'cmp-1',
    ...overrides,
  };
}
