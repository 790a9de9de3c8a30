// `npm start`: the product's main job, whole, on nothing but this machine.
//
//   npm start -- --events-per-day 100000
//   npm start -- --source api
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { firstLine } from '../../lib/errors.ts';
import { runDemo } from './demo.ts';
import type { DemoOptions } from './setting.ts';

/** Over the API every action is a request. */
const EVENTS_PER_DAY = { database: 10_000, api: 500 };

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
  const stack = new AsyncDisposableStack();
  const { signal } = interrupted;
  try {
    const options = readArguments();
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    await Promise.race([runDemo({ ...options, signal, stack, print: console.log }), aborted]);
    await stack.disposeAsync();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`\nEverything is stopped again. ${seconds} s.`);
    return 0;
  } catch (error) {
    await stack.disposeAsync().catch(() => undefined);
    console.error(
      `npm start: ${firstLine(signal.aborted ? signal.reason : error)}; everything is stopped again`,
    );
    return signalled === undefined ? 1 : 128 + constants.signals[signalled];
  }
}

function readArguments(): Pick<DemoOptions, 'folder' | 'eventsPerDay' | 'source'> {
  const { values } = parseArgs({
    options: {
      source: { type: 'string', default: 'database' },
      'events-per-day': { type: 'string' },
      folder: { type: 'string', default: fileURLToPath(new URL('../../.local/demo', import.meta.url)) },
    },
  });
  const { source, folder } = values;
  if (source !== 'database' && source !== 'api') {
    throw new Error(`--source: got "${source}"; accepted: database or api`);
  }
  const eventsPerDay = Number(values['events-per-day'] ?? EVENTS_PER_DAY[source]);
  if (!Number.isInteger(eventsPerDay) || eventsPerDay < 100 || eventsPerDay > 1_000_000) {
    throw new Error(`--events-per-day: got "${values['events-per-day']}"; accepted: 100 to 1000000`);
  }
  return { folder, eventsPerDay, source };
}
