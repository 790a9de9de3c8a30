// `npm start`: the product's main job, whole, on nothing but this machine.
//
//   npm start -- --events-per-day 100000
//   npm start -- --source api
//   npm start -- --machines baremetal
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { firstLine } from '../../lib/core/errors.ts';
import { runDemo } from './demo.ts';
import type { DemoOptions } from './setting.ts';

/** Over the API every action is a request. */
const EVENTS_PER_DAY = { database: 10_000, api: 500 };

const HELP = `Usage: npm start -- [options]

Shows the product's main job on this machine: a cloud's databases, five days of its
schedule, and the drops that land in a bucket.

  --source SOURCE       database (default) or api: what the function reads
  --machines MACHINES   vm (default), or baremetal: nodes of Ironic that Blazar leases
  --events-per-day N    100 to 1000000; default ${EVENTS_PER_DAY.database}, with --source api ${EVENTS_PER_DAY.api}
  --folder FOLDER       where the drops stay until the next run; default .local/demo
  -h, --help            prints this`;

const started = performance.now();
const interrupted = new AbortController();
let signalled: NodeJS.Signals | undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Also the second time, for npm passes on what the terminal has sent to all: stopping takes a moment.
  process.on(name, () => {
    signalled ??= name;
    interrupted.abort(new Error(`stopped by ${signalled}`));
  });
}
// Who reads `npm start | head` has seen enough.
process.stdout.on('error', () => interrupted.abort(new Error('nobody reads any more')));

process.exit(await main());

async function main(): Promise<number> {
  let options;
  try {
    options = readArguments();
  } catch (error) {
    console.error(`npm start: ${firstLine(error)}; npm start -- --help lists the options`);
    return 1;
  }
  if (options === 'help') {
    console.log(HELP);
    return 0;
  }
  const failure = await run(options);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (failure === undefined) console.log(`\nEverything is stopped. ${seconds} s.`);
  else console.error(`npm start: ${failure}`);
  return failure === undefined ? 0 : signalled === undefined ? 1 : 128 + constants.signals[signalled];
}

/** @returns why it ended early, and whether everything is stopped; undefined where all went well */
async function run(options: Arguments): Promise<string | undefined> {
  const stack = new AsyncDisposableStack();
  const { signal } = interrupted;
  let failure: unknown;
  try {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    await Promise.race([runDemo({ ...options, signal, stack, print: console.log }), aborted]);
  } catch (error) {
    failure = signal.aborted ? signal.reason : error;
    // What is still being set up ends too.
    interrupted.abort(failure);
  }
  try {
    await stack.disposeAsync();
  } catch (error) {
    const before = failure === undefined ? '' : `${firstLine(failure)}; `;
    return `${before}not everything could be stopped: ${firstLine(error)}`;
  }
  return failure === undefined ? undefined : `${firstLine(failure)}; everything is stopped`;
}

type Arguments = Pick<DemoOptions, 'folder' | 'eventsPerDay' | 'source' | 'machines'>;

function readArguments(): Arguments | 'help' {
  const { values } = parseArgs({
    options: {
      source: { type: 'string', default: 'database' },
      machines: { type: 'string', default: 'vm' },
      'events-per-day': { type: 'string' },
      folder: { type: 'string', default: fileURLToPath(new URL('../../.local/demo', import.meta.url)) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { source, machines, folder } = values;
  if (source !== 'database' && source !== 'api') {
    throw new Error(`--source: got "${source}"; accepted: database or api`);
  }
  if (machines !== 'vm' && machines !== 'baremetal') {
    throw new Error(`--machines: got "${machines}"; accepted: vm or baremetal`);
  }
  if (machines === 'baremetal' && values['events-per-day'] !== undefined) {
    throw new Error('--events-per-day: got it with --machines baremetal, whose nodes have few; leave it out');
  }
  const eventsPerDay = Number(values['events-per-day'] ?? EVENTS_PER_DAY[source]);
  if (!Number.isInteger(eventsPerDay) || eventsPerDay < 100 || eventsPerDay > 1_000_000) {
    throw new Error(`--events-per-day: got "${values['events-per-day']}"; accepted: 100 to 1000000`);
  }
  return { folder, eventsPerDay, source, machines };
}
