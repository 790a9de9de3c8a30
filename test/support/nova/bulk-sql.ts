import { FLAVOURS } from './catalogue.ts';
import { EVENTS, SERVERS } from './bulk-pattern.ts';
import { seeded } from './prng.ts';
import type { Table } from './schema.ts';
import { sqlTime } from './sql-time.ts';

const identities = seeded(200);
const USERS = Array.from({ length: 200 }, () => identities.hex(32));
const PROJECTS = Array.from({ length: 50 }, () => identities.hex(32));
/** What follows the number in a request's id. */
const REQUEST = '-5ca1-4b1e-a5ca-1ab1e0000000';

/** A run of events that is laid down in one go. */
export interface Series {
  /** Tells this series' servers from all others': their uuids are made from it. */
  name: string;
  events: number;
  actionsPerBlock: number;
  /** The ids before its own. */
  after: Record<Table, number>;
  /** Unix seconds: the first start_time, and what every start and finish is before. */
  start: number;
  end: number;
  /** Every finish is at this time or later. */
  finishFrom: number;
  /** One event in so many never finishes; 0: all do. */
  openEvery: number;
  /** Servers that go to the live (0) or the shadow (1) tables; both to the live ones without. */
  archived?: 0 | 1;
}

/** INSERT … SELECT statements by table. Each row is worked out from the number of its block and its pattern. */
export function statements(series: Series): Record<Table, string> {
  const blocks = `seq_0_to_${Math.max(0, Math.ceil(series.events / EVENTS) - 1)} b`;
  const { archived } = series;
  const within = `b.seq * ${EVENTS} + p.position < ${series.events}`;
  const where = archived === undefined ? within : `${within} AND p.archived = ${archived}`;
  const from = (pattern: string): string => `FROM ${blocks} STRAIGHT_JOIN ${pattern} p WHERE ${where}`;
  const into = (table: Table): string => `INSERT INTO ${archived === 1 ? 'shadow_' : ''}${table}`;

  const server = `(b.seq * ${SERVERS} + p.server)`;
  const uuid = asUuid(`MD5(CONCAT('${series.name} ', ${server}))`);
  const user = oneOf(`${server} * 7919 % 200`, USERS);
  const project = oneOf(`${server} * 7919 % 200 % 50`, PROJECTS);
  const host = `CONCAT('cmp-', LPAD(1 + ${server} * 31 % 100, 3, '0'), '.example')`;
  const id = (table: Table, perBlock: number, own: string): string =>
    `${series.after[table] + 1} + b.seq * ${perBlock} + p.${own}`;

  const first = sqlTime(series.start);
  const last = `TIMESTAMP'${sqlTime(series.end - 1)}'`;
  // Evenly spread, so that ids and start times rise together.
  const rate = (series.end - series.start) / series.events;
  const timeOf = (position: string): string =>
    `TIMESTAMP'${first}' + INTERVAL FLOOR((b.seq * ${EVENTS} + ${position}) * ${rate}) SECOND`;
  const start = timeOf('p.position');
  const deleted = `IF(p.deleted, LEAST(${timeOf(String(EVENTS))}, ${last}), NULL)`;
  const finished = `GREATEST(LEAST(${start} + INTERVAL p.seconds SECOND, ${last}), TIMESTAMP'${sqlTime(series.finishFrom)}')`;
  const isOpen = series.openEvery === 0 ? 'FALSE' : `(p.position * 31 + b.seq) % ${series.openEvery} = 0`;

  return {
    instances: `${into('instances')} (id, uuid, created_at, updated_at, deleted_at, terminated_at, deleted, cleaned,
        hidden, user_id, project_id, hostname, display_name, vm_state, host, node, ephemeral_gb, vcpus, memory_mb, root_gb)
      SELECT ${id('instances', SERVERS, 'server')}, ${uuid}, ${start}, ${start}, ${deleted}, ${deleted},
        IF(p.deleted, ${id('instances', SERVERS, 'server')}, 0), p.deleted, 0, ${user}, ${project},
        CONCAT(ELT(1 + ${server} % 5, 'web', 'db', 'ci', 'batch', 'login'), '-', HEX(${server})),
        CONCAT('Server ', ${server}), IF(p.deleted, 'deleted', 'active'), ${host}, ${host}, 0, ${flavour(server)}
      ${from('pattern_servers')}`,
    instance_actions: `${into('instance_actions')}
        (id, action, instance_uuid, request_id, user_id, project_id, start_time, created_at, updated_at, deleted)
      SELECT ${id('instance_actions', series.actionsPerBlock, 'action')}, p.name, ${uuid},
        CONCAT('req-', LPAD(HEX(${id('instance_actions', series.actionsPerBlock, 'action')}), 8, '0'), '${REQUEST}'),
        ${user}, ${project}, ${start}, ${start}, ${start}, 0
      ${from('pattern_actions')}`,
    instance_actions_events: `${into('instance_actions_events')}
        (id, action_id, event, start_time, finish_time, result, created_at, updated_at, deleted, host)
      SELECT ${id('instance_actions_events', EVENTS, 'position')},
        ${id('instance_actions', series.actionsPerBlock, 'action')}, p.event, ${start},
        IF(${isOpen}, NULL, ${finished}), IF(${isOpen}, NULL, IF(p.error, 'Error', 'Success')),
        ${start}, IF(${isOpen}, NULL, ${finished}), 0,
        IF(p.onController, CONCAT('ctl-0', 1 + p.position % 3, '.example'), ${host})
      ${from('pattern_events')}`,
  };
}

function asUuid(md5: string): string {
  return [24, 19, 14, 9].reduceRight((digits, at) => `INSERT(${digits}, ${at}, 0, '-')`, md5);
}

function flavour(server: string): string {
  return (['vcpus', 'memory_mb', 'root_gb'] as const)
    .map((size) =>
      oneOf(
        `${server} * 13 % ${FLAVOURS.length}`,
        FLAVOURS.map((one) => String(one[size])),
      ),
    )
    .join();
}

/** Faster by far than a hash for every row. */
function oneOf(index: string, values: readonly string[]): string {
  return `ELT(1 + ${index}, ${values.map((value) => `'${value}'`).join()})`;
}
