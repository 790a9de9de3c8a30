import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { listenOnLoopback } from '../listen-on-loopback.ts';
import { findBinaries } from './binaries.ts';
import { openClient } from './client.ts';
import type { Address, MariaDb } from './client.ts';
import { asRoot, createDatadir } from './datadir.ts';
import { startProcess } from './process.ts';
import type { ServerProcess } from './process.ts';
import { createCertificates } from './tls.ts';

export interface MariaDbOptions {
  /** Where the server's files live; kept at the end and used again if it holds a server. A temporary folder without. */
  folder?: string;
  /** Off by default: it costs a second and 100 MB. On to count reads by statement. */
  performanceSchema?: boolean;
  /** `64M` */
  bufferPool?: string;
  /** Size of the redo log, `8M`; a bulk load is a third faster with `256M`. */
  redoLog?: string;
  tls?: boolean;
  binlog?: boolean;
  /** Further arguments of mariadbd. */
  args?: string[];
  /** Breaks off a start, which then clears away what it had begun. */
  signal?: AbortSignal;
}

const START_MS = 300_000;
const ATTEMPTS = 3;

/**
 * Starts a private MariaDB on a free port of 127.0.0.1. With TEST_MARIADB_DSN set nothing is started and the
 * options are without effect: the databases get random names on that server and are dropped by `stop`.
 */
export function startMariaDb(options: MariaDbOptions = {}): Promise<MariaDb> {
  const given = process.env['TEST_MARIADB_DSN'] ?? '';
  return given === '' ? startServer(options) : Promise.resolve(useGivenServer(given));
}

let common: Promise<MariaDb> | undefined;
let lastUser: MariaDb | undefined;

/**
 * A MariaDB that test files of the same worker use one after the other: to start one and to stop it takes a second.
 * `stop` drops what was created by this client; the server itself ends with the process.
 */
export async function useMariaDb(): Promise<MariaDb> {
  if ((process.env['TEST_MARIADB_DSN'] ?? '') !== '') return startMariaDb();
  // A file that failed may have left databases of the names that the next one creates.
  await lastUser?.stop();
  common ??= startServer({});
  try {
    const { host, port, rootUser: user, rootPassword: password } = await common;
    return (lastUser = openClient({ host, port, user, password }, {}));
  } catch (error) {
    common = undefined;
    throw error;
  }
}

async function startServer(options: MariaDbOptions): Promise<MariaDb> {
  for (let attempt = 1; ; attempt++) {
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'star-compactor-mariadb-')));
    const discard = options.folder === undefined ? folder : '';
    try {
      return await startIn(folder, options, discard);
    } catch (error) {
      if (discard !== '') await rm(discard, { recursive: true, force: true });
      options.signal?.throwIfAborted();
      // Another process may take the free port before the server does, which then ends at once.
      if (!(error instanceof NotStarted) || attempt === ATTEMPTS) throw error;
    }
  }
}

class NotStarted extends Error {}

function useGivenServer(dsn: string): MariaDb {
  const url = new URL(dsn);
  const at = {
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  return openClient(at, { prefix: `test_${randomBytes(4).toString('hex')}_` });
}

async function startIn(folder: string, options: MariaDbOptions, discard: string): Promise<MariaDb> {
  const binaries = await findBinaries();
  const datadir = join(folder, 'data');
  if (!existsSync(datadir)) await createDatadir(binaries, datadir);
  await mkdir(join(folder, 'tmp'), { recursive: true });
  const certificates = options.tls === true ? await createCertificates(folder) : undefined;
  const login = { host: '127.0.0.1', user: 'root', password: randomBytes(16).toString('hex') };
  await writeFile(join(folder, 'init.sql'), rootLogin(login.password), { mode: 0o600 });
  const args = [
    '--no-defaults',
    ...binaries.args,
    ...settings(folder, options),
    ...(certificates?.serverArgs ?? []),
    ...asRoot(),
    ...(options.args ?? []),
  ];
  options.signal?.throwIfAborted();
  const at = { ...login, port: await freePort() };
  const server = startProcess(binaries.server, [...args, `--port=${at.port}`], binaries.env, { discard });
  if (await isReady(at, server, options.signal)) {
    return openClient(at, {
      ...(certificates === undefined ? {} : { ca: certificates.ca }),
      stop: () => server.stop(),
    });
  }
  const log = await readFile(join(folder, 'error.log'), 'utf8').catch(() => '');
  await server.stop();
  throw new NotStarted(`MariaDB did not start: ${log.trim().split('\n').slice(-5).join('\n')}`);
}

function settings(folder: string, options: MariaDbOptions): string[] {
  return [
    `--datadir=${join(folder, 'data')}`,
    // Its own: a server that starts deletes the temporary tables of all others that share the folder.
    `--tmpdir=${join(folder, 'tmp')}`,
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--log-error=${join(folder, 'error.log')}`,
    `--init-file=${join(folder, 'init.sql')}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    `--performance-schema=${options.performanceSchema === true ? 'ON' : 'OFF'}`,
    `--innodb-buffer-pool-size=${options.bufferPool ?? '64M'}`,
    `--innodb-log-file-size=${options.redoLog ?? '8M'}`,
    '--max-allowed-packet=64M',
    // Nothing here has to survive a power cut.
    '--innodb-flush-log-at-trx-commit=0',
    '--skip-innodb-doublewrite',
    '--loose-innodb-flush-method=nosync',
    ...(options.binlog === true ? ['--log-bin=binlog', '--server-id=1'] : ['--skip-log-bin']),
  ];
}

/** Run at every start, before the server listens; an initialised folder holds no password. */
function rootLogin(password: string): string {
  return [
    `CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY '${password}';`,
    "GRANT ALL PRIVILEGES ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;",
    `ALTER USER root@localhost IDENTIFIED BY '${password}';`,
    '',
  ].join('\n');
}

async function freePort(): Promise<number> {
  const listener = createServer();
  const port = await listenOnLoopback(listener);
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

/** False when the server ended instead, answers to nobody for minutes, or is not wanted any more. */
async function isReady(at: Address, server: ServerProcess, signal?: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + START_MS;
  const isWanted = (): boolean => signal?.aborted !== true && Date.now() < deadline;
  while (!server.exited && isWanted()) {
    try {
      await (await createConnection(at)).end();
      return true;
    } catch {
      await sleep(20);
    }
  }
  return false;
}
