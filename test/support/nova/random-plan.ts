import {
  AWKWARD_NAMES,
  BUILD,
  FLAVOURS,
  NO_VALID_HOST,
  OPERATIONS,
  TERMINATE,
  runsOnController,
} from './catalogue.ts';
import type { Flavour, Operation } from './catalogue.ts';
import type { Random } from './prng.ts';
import { finish, planEvent, vary } from './random-event.ts';
import type { EventPlan } from './random-event.ts';
import type { Mix } from './random-mix.ts';

export interface ServerPlan {
  uuid: string;
  cell: string;
  user: string;
  project: string;
  hostname: string;
  created: number;
  deleted?: number;
  flavour: Flavour;
  host: string | null;
  actions: ActionPlan[];
}

export interface ActionPlan {
  name: string;
  requestId: string;
  /** When the row is inserted; its start_time, the request's, is up to 3 s before. */
  inserted: number;
  requested: number;
  events: EventPlan[];
  /** What the server becomes at the end of it. */
  moved?: { host: string; flavour: Flavour };
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const CONTROLLERS = ['ctl-01.example', 'ctl-02.example'];

export interface Place {
  cells: readonly string[];
  users: readonly string[];
  projects: readonly string[];
  hosts: readonly string[];
}

/** The life of one server that is created at `created`. */
export function planServer(random: Random, mix: Mix, place: Place, created: number): ServerPlan {
  const failed = place.cells.includes('cell0') && random.chance(mix.noValidHost);
  const server: ServerPlan = {
    uuid: random.uuid(),
    cell: failed ? 'cell0' : random.pick(place.cells.filter((cell) => cell !== 'cell0')),
    user: random.pick(place.users),
    project: random.pick(place.projects),
    hostname: random.chance(mix.awkwardName)
      ? random.pick(AWKWARD_NAMES)
      : `${random.pick(['web', 'db', 'ci', 'batch', 'login'])}-${random.hex(4)}`,
    created,
    flavour: random.pick(FLAVOURS),
    host: failed ? null : random.pick(place.hosts),
    actions: [],
  };
  if (failed) {
    const action = addAction(random, server, 'create', created + random.between(1, 3));
    const event = planEvent(random, NO_VALID_HOST, CONTROLLERS[0] ?? null, action.inserted, 0);
    finish(event, 0, 'Error');
    action.events.push(event);
    if (random.chance(0.5)) server.deleted = created + random.between(MINUTE, 5 * DAY);
    return server;
  }
  const life = random.pick([
    random.between(10 * MINUTE, 6 * HOUR),
    random.between(6 * HOUR, 5 * DAY),
    Infinity,
  ]);
  const built = planBuild(random, mix, place, server);
  const operations = random.whole(0, 8);
  // Servers that are never deleted are touched for the ten days after their creation.
  const times = Array.from({ length: operations }, () =>
    random.between(built, Math.max(built, created + Math.min(life, 10 * DAY))),
  );
  let host = server.host ?? '';
  let flavour = server.flavour;
  for (const at of times.toSorted((a, b) => a - b)) {
    const operation = pickOperation(random, mix);
    const action = planOperation(random, mix, server, operation, midnightOr(random, mix, at, built), host);
    if (operation.moves === true) {
      host = random.pick(place.hosts);
      if (operation.action === 'resize') flavour = random.pick(FLAVOURS);
      action.moved = { host, flavour };
    }
  }
  if (life < Infinity) {
    const at = Math.max(created + life, built);
    const terminate = { action: 'delete', events: [TERMINATE], weight: 1, seconds: 20 };
    const action = planOperation(random, mix, server, terminate, at, host);
    const event = action.events[0];
    // A server is gone before its terminate event finishes, and also when that never does.
    server.deleted = at + Math.min(20, Math.max(0, (event?.finishes[0]?.time ?? at) - at));
  }
  return server;
}

/** The create action; gives the time when the server can be used. */
function planBuild(random: Random, mix: Mix, place: Place, server: ServerPlan): number {
  const rescheduled = random.chance(mix.rescheduled);
  const atMidnight = rescheduled && random.chance(mix.rescheduledAtMidnight);
  if (atMidnight) server.created = Math.ceil(server.created / DAY) * DAY - random.between(20, 50);
  const action = addAction(random, server, 'create', server.created + random.between(0.5, 2));
  const begun = action.inserted + random.between(0.1, 2);
  if (!rescheduled) {
    const event = planEvent(random, BUILD, server.host, begun, 0);
    vary(random, mix, event, random.between(2, 30));
    action.events.push(event);
    return begun + 60;
  }
  // The first host gives up, the conductor asks a second one, and its finish is written to the first row: Nova
  // finishes the first event of that name it finds. The second row stays open for ever.
  const first = planEvent(random, BUILD, random.pick(place.hosts), begun, 0);
  const second = planEvent(random, BUILD, server.host, begun + random.between(2, 8), 0);
  const givenUp = Math.max(0, second.start - first.start);
  finish(first, givenUp, 'Success');
  const late = !atMidnight && random.chance(mix.rescheduledLate);
  const rewritten = late ? random.between(HOUR, 20 * HOUR) : random.between(atMidnight ? 60 : 3, 90);
  finish(first, givenUp + rewritten, 'Success');
  action.events.push(first, second);
  return second.allocated + rewritten + 5;
}

function planOperation(
  random: Random,
  mix: Mix,
  server: ServerPlan,
  operation: Operation,
  at: number,
  host: string,
): ActionPlan {
  const action = addAction(random, server, operation.action, at);
  let begun = action.inserted + random.between(0, 1);
  for (const name of operation.events) {
    const own = random.chance(mix.nullHost) ? null : host;
    const event = planEvent(
      random,
      name,
      runsOnController(name) ? random.pick(CONTROLLERS) : own,
      begun,
      mix.lateInsert,
    );
    const toMidnight = DAY - (event.start % DAY);
    const straddles = mix.straddle > 0 && toMidnight <= 10 * MINUTE;
    vary(
      random,
      mix,
      event,
      straddles ? toMidnight + random.between(0, HOUR) : random.between(0, operation.seconds),
    );
    action.events.push(event);
    begun = Math.max(begun + 0.2, Math.min(begun + operation.seconds, event.finishes[0]?.time ?? begun));
  }
  return action;
}

/** Moves some operations to the last ten minutes of their day, from where they run over midnight. */
function midnightOr(random: Random, mix: Mix, at: number, earliest: number): number {
  if (!random.chance(mix.straddle)) return at;
  return Math.max(earliest, Math.ceil(at / DAY) * DAY - random.between(1, 10 * MINUTE));
}

function pickOperation(random: Random, mix: Mix): Operation {
  const moves = random.chance(mix.moves);
  const eligible = OPERATIONS.filter((operation) => (operation.moves === true) === moves);
  let left = random.between(
    0,
    eligible.reduce((sum, operation) => sum + operation.weight, 0),
  );
  for (const operation of eligible) if ((left -= operation.weight) < 0) return operation;
  return random.pick(eligible);
}

function addAction(random: Random, server: ServerPlan, name: string, inserted: number): ActionPlan {
  const requested = inserted - random.between(0, 3);
  const action: ActionPlan = { name, requestId: `req-${random.uuid()}`, inserted, requested, events: [] };
  server.actions.push(action);
  return action;
}
