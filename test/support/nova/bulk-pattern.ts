import { BUILD, OPERATIONS, TERMINATE, runsOnController } from './catalogue.ts';
import { seeded } from './prng.ts';

/** Servers, actions and events of one block; a big history is the block many times over. */
export const SERVERS = 1000;
export const EVENTS = 7600;

/** One event of the block, which is also the order of its start_time and id. */
export interface PatternEvent {
  position: number;
  server: number;
  action: number;
  event: string;
  seconds: number;
  error: 0 | 1;
  onController: 0 | 1;
}

export interface PatternAction {
  action: number;
  server: number;
  name: string;
  /** Position of its first event. */
  position: number;
}

export interface PatternServer {
  server: number;
  /** Position of its first event. */
  position: number;
  deleted: 0 | 1;
  /** Half of the servers: those that stand in the shadow tables when these are filled too. */
  archived: 0 | 1;
}

export interface Pattern {
  events: PatternEvent[];
  actions: PatternAction[];
  servers: PatternServer[];
}

interface Step {
  at: number;
  server: number;
  action: { name: string };
  event: string;
  seconds: number;
}

/** 7.6 events per server on average, of every operation, with the operations' usual lengths; always the same. */
export function bulkPattern(): Pattern {
  const random = seeded(76);
  const steps: Step[] = [];
  const weighted = OPERATIONS.flatMap((operation) =>
    Array.from({ length: operation.weight }, () => operation),
  );
  const begun = Array.from({ length: SERVERS }, () => random.between(0, 0.6));
  for (const [server, at] of begun.entries()) {
    steps.push({ at, server, action: { name: 'create' }, event: BUILD, seconds: random.whole(2, 40) });
    if (!isDeleted(server)) continue;
    steps.push({ at: 1, server, action: { name: 'delete' }, event: TERMINATE, seconds: random.whole(1, 20) });
  }
  while (steps.length < EVENTS) {
    const server = random.whole(0, SERVERS - 1);
    const operation = random.pick(weighted);
    const action = { name: operation.action };
    const at = random.between(begun[server] ?? 0, 1);
    for (const event of operation.events.slice(0, EVENTS - steps.length)) {
      // One in fifty takes hours, and so may run over midnight.
      const seconds = random.chance(0.02) ? random.whole(600, 4 * 3600) : random.whole(0, operation.seconds);
      steps.push({ at, server, action, event, seconds });
    }
  }
  return numbered(steps.toSorted((a, b) => a.at - b.at));
}

function isArchived(server: number): boolean {
  return server % 2 === 0;
}

function isDeleted(server: number): boolean {
  return isArchived(server) || server % 5 === 1;
}

function numbered(steps: Step[]): Pattern {
  const random = seeded(77);
  const actions = new Map<Step['action'], PatternAction>();
  const servers = new Map<number, PatternServer>();
  const events: PatternEvent[] = [];
  for (const [position, { server, action, event, seconds }] of steps.entries()) {
    const known = actions.get(action) ?? { action: actions.size, server, name: action.name, position };
    actions.set(action, known);
    if (!servers.has(server)) {
      const archived = isArchived(server) ? 1 : 0;
      servers.set(server, { server, position, deleted: isDeleted(server) ? 1 : 0, archived });
    }
    const onController = runsOnController(event) ? 1 : 0;
    const error = random.chance(0.03) ? 1 : 0;
    events.push({ position, server, action: known.action, event, seconds, error, onController });
  }
  return { events, actions: [...actions.values()], servers: [...servers.values()] };
}
