import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBinaries } from '../support/mariadb/binaries.ts';
import { findProgram } from '../support/mariadb/run.ts';
import type { Cell } from '../support/nova/schema.ts';
import { type ProcessCost, costOf } from './process-cost.ts';

/** What the others are held against: what an operator would do by hand. */
export const YARDSTICK = 'client | gzip -6';

/** Something to hold an extraction against, on the same rows. */
export interface Yardstick {
  readonly what: string;
  run(): Promise<ProcessCost & { readonly bytes: number }>;
}

const COLUMNS =
  'i.uuid, e.event, e.start_time, e.finish_time, e.result, i.memory_mb, i.root_gb, i.vcpus, i.hostname, ' +
  'i.user_id, i.project_id, i.host AS instance_host, e.host AS event_host';

/**
 * The three tables' join by the database's own client, alone and compressed, and by the usual libraries. Of a pipe the
 * CPU of all its programs counts. With
 * STRAIGHT_JOIN rows come in the order of the events, which is nearly that of a trace. Left to itself the server may
 * begin with the instances; then all events of one stand together, which gzip likes, but it is another file.
 *
 * @param window unix seconds, `[start, end)`: when the events finished
 */
export async function yardsticks(
  cell: Cell,
  window: { start: number; end: number },
  rows: number,
): Promise<Yardstick[]> {
  const finished = ['>= ', '< ']
    .map((sign, nth) => `e.finish_time ${sign}FROM_UNIXTIME(${nth === 0 ? window.start : window.end})`)
    .join(' AND ');
  const select = (straight: string): string =>
    `SELECT ${straight} ${COLUMNS} FROM instance_actions_events e JOIN instance_actions a ON a.id = e.action_id ` +
    `JOIN instances i ON i.uuid = a.instance_uuid WHERE ${finished}`;
  const client = await clientCommand(cell);
  const zstd = await findProgram('zstd');
  if (zstd === undefined) process.stderr.write('no zstd here, so it is left out: apt-get install zstd\n');
  const env = { ...client.env, TZ: 'UTC' };
  const run = (sql: string, into: string) => async () => {
    const cost = await costOf(`${client.command(sql)} ${into}`, env);
    return { ...cost, bytes: Number(cost.stdout) };
  };
  // Without what is wanted, a client that fails at once would be the fastest yardstick.
  const { stdout } = await costOf(`${client.command(select('STRAIGHT_JOIN'))} | wc -l`, env);
  if (Number(stdout) !== rows + 1) throw new Error(`the join has ${Number(stdout) - 1} rows, not ${rows}`);

  return [
    { what: 'mariadb client', run: run(select('STRAIGHT_JOIN'), '>/dev/null') },
    { what: YARDSTICK, run: run(select('STRAIGHT_JOIN'), '| gzip -6 | wc -c') },
    { what: `${YARDSTICK}, any order`, run: run(select(''), '| gzip -6 | wc -c') },
    ...(zstd === undefined
      ? []
      : [{ what: 'client | zstd -3', run: run(select('STRAIGHT_JOIN'), `| '${zstd}' -3 | wc -c`) }]),
    { what: 'naive Node.js', run: () => runNaive(cell, select('STRAIGHT_JOIN'), rows) },
  ];
}

async function clientCommand(cell: Cell) {
  const { installDb, env } = await findBinaries();
  const beside = join(dirname(installDb), 'mariadb');
  const program = existsSync(beside) ? beside : await findProgram('mariadb', 'mysql');
  if (program === undefined) throw new Error('no mariadb client here: apt-get install mariadb-client-core');
  const { host, port, rootUser, rootPassword } = cell.server;
  const login = `--no-defaults --host=${host} --port=${port} --user=${rootUser} --database=${cell.database}`;
  return {
    command: (sql: string) =>
      `'${program}' ${login} --quick --batch --init-command="SET time_zone = '+00:00'" --execute='${sql}'`,
    env: { ...env, MYSQL_PWD: rootPassword },
  };
}

async function runNaive(cell: Cell, select: string, rows: number) {
  const program = fileURLToPath(new URL('naive.ts', import.meta.url));
  const command = `'${process.execPath}' '${program}' '${select}'`;
  const cost = await costOf(command, { NAIVE_DSN: cell.dsn() });
  const told = JSON.parse(cost.stdout) as { rows: number; bytes: number; peakMiB: number };
  if (told.rows !== rows) throw new Error(`the naive pipeline gave ${told.rows} rows of ${rows}`);
  return { ...cost, ...told };
}
