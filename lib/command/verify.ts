import { Presets, SingleBar } from 'cli-progress';
import { InputError } from '../core/errors.ts';
import { type Seconds, parseInstant } from '../core/time.ts';
import { placeOf } from '../drop/place.ts';
import { tracesIn } from '../store/traces.ts';
import { verifyTrace } from '../verify/verify-trace.ts';
import { EXIT } from './exit.ts';
import { openStore } from './store.ts';
import { type GivenOptions, gatherValues } from './settings.ts';
import { say } from './terminal.ts';

/**
 * Verifies a trace, or all traces of a store, and tells each fault on standard output.
 *
 * @returns the exit status
 */
export async function verify(options: GivenOptions, signal: AbortSignal): Promise<number> {
  const since = sinceOf(options['since']);
  const { place, values } = await gatherValues(options);
  await using opened = await openStore(place, { create: false });
  const { store, prefix } = opened;
  const asked = values['STAR_CLOUD'];
  const names: string[] = [];
  if (asked !== undefined) names.push(asked);
  else for await (const name of tracesIn(store, prefix, signal)) names.push(name);
  if (names.length === 0) {
    throw new InputError(
      `--to: there is no trace in ${store.name}; accepted: a place that publish writes to`,
    );
  }
  let faults = 0;
  for (const cloud of names) {
    const bar = openBar(cloud);
    let drops = 0;
    const progress = (done: number, all: number): void => {
      drops = all;
      bar.update(done, all);
    };
    let own = 0;
    const at = placeOf({ prefix, cloud }, store, signal);
    for await (const { kind, text } of verifyTrace(at, { now: Date.now() / 1000, since, progress })) {
      bar.clear();
      if (kind === 'fault') own++;
      process.stdout.write(`${kind === 'fault' ? '✗' : '-'} ${text}\n`);
    }
    bar.clear();
    faults += own;
    say(`${cloud}: ${drops} drop(s), ${own === 0 ? 'all as their manifests say' : `${own} fault(s)`}`);
  }
  return faults === 0 ? EXIT.done : EXIT.faulty;
}

function sinceOf(given: unknown): Seconds {
  if (typeof given !== 'string') return -Infinity;
  const since = parseInstant(given);
  if (since !== undefined) return since;
  throw new InputError(`--since: got "${given}"; accepted: an ISO 8601 date or instant such as 2026-11-01`);
}

interface Bar {
  update(done: number, all: number): void;
  clear(): void;
}

function openBar(cloud: string): Bar {
  if (!process.stderr.isTTY) return { update: () => undefined, clear: () => undefined };
  const format = `{bar} ${cloud}: drop {value} of {total}`;
  const options = { format, hideCursor: true, clearOnComplete: true, barsize: 30, gracefulExit: false };
  const bar = new SingleBar({ ...options, stream: process.stderr }, Presets.shades_classic);
  let isShown = false;
  return {
    update(done, all) {
      if (isShown) {
        bar.setTotal(all);
        bar.update(done);
      } else bar.start(all, done);
      isShown = true;
    },
    clear() {
      if (isShown) bar.stop();
      isShown = false;
    },
  };
}
