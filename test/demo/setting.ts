import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DAY, type Seconds } from '../../lib/core/time.ts';
import { TABLES } from '../../lib/tables/registry.ts';
import { findBinaries } from '../support/mariadb/binaries.ts';
import { startOpenStack } from '../support/openstack/index.ts';
import { type Stage, startStage } from '../support/stage.ts';
import { startBareMetalCloud } from './bare-metal/cloud.ts';
import { type DemoCloud, startCloud } from './cloud.ts';
import { type DemoFunction, buildFunction } from './function.ts';
import { columns, day, heading, size } from './text.ts';

export interface DemoOptions {
  /** Keeps the objects, the bundle and the log of the last run. */
  readonly folder: string;
  readonly eventsPerDay: number;
  /** Whether the function is given a way to the databases or to the API. */
  readonly source: 'database' | 'api';
  /** Whether its physical hosts are Nova's, or nodes of Ironic that Blazar leases. */
  readonly machines: 'vm' | 'baremetal';
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
  /** Takes what has to be stopped at the end, however the end comes. */
  readonly stack: AsyncDisposableStack;
}

export interface Setting {
  readonly cloud: DemoCloud;
  readonly stage: Stage;
  readonly handler: DemoFunction;
}

/** The name of the cloud in keys and manifests. */
export const CLOUD = 'demo';

/** A masking secret of the operator: with it the drops join. */
const MASKING_SECRET = 'star-compactor/masks';

/** Seals the names of leases and nodes that will be gone. */
const STATE_KEY = 'star-compactor/state';

/** Days of history when the last run comes. */
const DAYS = 6;

/** MariaDB is found at once, unless it has to be fetched. */
const SLOW_MS = 1500;

/** Starts the cloud and the services around the function, and builds the function. */
export async function setUp(options: DemoOptions, mornings: readonly Seconds[]): Promise<Setting> {
  const { folder, print, signal, stack } = options;
  print(heading('A cloud, and all that the function needs, on this machine'));
  // By name, for the folder may be one that somebody else gave.
  for (const own of ['s3', 'function', 'function.log']) {
    await rm(join(folder, own), { recursive: true, force: true });
  }
  const last = mornings.at(-1) ?? 0;
  const start = last - (last % DAY) - DAYS * DAY;
  const isBareMetal = options.machines === 'baremetal';
  const env = {
    STAR_CLOUD: CLOUD,
    STAR_MACHINES: options.machines,
    STAR_TABLES: TABLES.filter(({ onRequest }) => isBareMetal || onRequest !== true)
      .map(({ name }) => name)
      .join(),
    ...(isBareMetal ? { STAR_STATE_KEY: STATE_KEY } : {}),
    STAR_FORMATS: 'csv,jsonl,parquet',
    STAR_MASKING_SECRET: MASKING_SECRET,
    POWERTOOLS_LOG_LEVEL: 'INFO',
    POWERTOOLS_SERVICE_NAME: 'star-compactor',
    POWERTOOLS_METRICS_NAMESPACE: 'StarCompactor',
  };
  const stage = await startStage({ folder: join(folder, 's3'), env });
  stack.defer(() => stage.stop());
  await stage.createSecret(MASKING_SECRET, randomBytes(32));
  if (isBareMetal) await stage.createSecret(STATE_KEY, randomBytes(32));
  await fetchMariaDb(print);
  signal.throwIfAborted();
  const starting = isBareMetal
    ? startBareMetalCloud(start, DAYS, signal)
    : startCloud(start, DAYS, options.eventsPerDay, signal);
  stack.defer(() => stopCloud(starting));
  const building = buildFunction(join(folder, 'function'), join(folder, 'function.log'));
  const [cloud, handler] = await Promise.all([starting, building]);

  const say = (what: string, text: string): void => print(`  ${columns([what, text], [15])}`);
  const named = [...cloud.cells, ...Object.values(cloud.services)].map(({ database }) => database);
  const databases = new Intl.ListFormat('en-GB').format(named);
  say(
    isBareMetal ? 'Databases' : 'Nova',
    `${cloud.server} with ${databases}; ` +
      (isBareMetal ? 'nodes, leases of them, and servers in these' : `first server built ${day(start)}`),
  );
  if (options.source === 'database') {
    await stage.setSecret(cloud.secret);
    say('Secrets Manager', `${cloud.opens}; a masking secret, so that drops join`);
  } else {
    // Its history is of other days, but its clock is right, or no trace would be begun.
    const date = (): number => Date.now() / 1000;
    const openstack = await startOpenStack({ cells: cloud.cells, ...cloud.services, now: cloud.now, date });
    stack.defer(() => openstack.stop());
    await stage.setSecret(openstack.secret('openrc'));
    say(
      'OpenStack',
      `a fake for Keystone and the API${isBareMetal ? 's of all three' : ' of Nova'}, which serves what these databases hold`,
    );
    say('Secrets Manager', 'the openrc of an administrator; a masking secret, so that drops join');
  }
  say('S3', `s3://${stage.env['STAR_BUCKET']}, private to this run`);
  say('Function', `the scheduled handler, bundled as for Lambda (${size(handler.bytes)})`);
  return { cloud, stage, handler };
}

/** Looks for a MariaDB, and says so where that takes a while. */
async function fetchMariaDb(print: DemoOptions['print']): Promise<void> {
  if ((process.env['TEST_MARIADB_DSN'] ?? '') !== '') return;
  const slow = setTimeout(
    () => print('  fetching MariaDB into .local, once (about 60 MB, by apt) …'),
    SLOW_MS,
  );
  await findBinaries().finally(() => clearTimeout(slow));
}

/** An interrupted start clears away by itself what it had begun. */
async function stopCloud(starting: Promise<DemoCloud>): Promise<void> {
  const cloud = await starting.catch(() => undefined);
  await cloud?.stop();
}
