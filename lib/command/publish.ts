import { InputError } from '../core/errors.ts';
import { type Seconds, iso, parseInstant } from '../core/time.ts';
import { checkStateKey, makeInvocation } from '../drop/open-invocation.ts';
import { loadWatch } from '../report/load-watch.ts';
import { refreshIndex } from '../report/refresh-index.ts';
import { runSchedule } from '../schedule/run-schedule.ts';
import { scheduledTime } from '../schedule/scheduled-time.ts';
import { createMasking } from '../transform/masking.ts';
import { EXIT } from './exit.ts';
import { type CloudOptions, openPublishing, readSecretBytes } from './publishing.ts';
import type { GivenOptions } from './settings.ts';
import { writeMetrics } from './status.ts';
import { readBytes } from './terminal.ts';

/**
 * Publishes all windows that are due, as the scheduled function does. Any number of runs may overlap, here and there.
 *
 * @returns the exit status
 */
export async function publish(
  options: GivenOptions,
  cloud: CloudOptions,
  signal: AbortSignal,
): Promise<number> {
  const until = timeOf(options['until'], Math.floor(Date.now() / 1000));
  await using publishing = await openPublishing(options, cloud);
  const { settings, connection, opened, display, log } = publishing;
  const { maskingSecret, stateKey } = settings;
  const held =
    maskingSecret === undefined ? undefined : await readSecretBytes(maskingSecret, '--masking-secret');
  using invocation = await makeInvocation({
    settings,
    connection,
    store: opened.store,
    masking: createMasking(settings.masking, held),
    stateKey: stateKey === undefined ? undefined : checkStateKey(await readBytes(stateKey, '--state-key')),
    openWatch: await loadWatch(settings),
    log,
    signal,
    progress: display,
  });
  const summary = await runSchedule(invocation, until, () => Infinity);
  const watermark = parseInstant(summary.watermark ?? '');
  if (watermark !== undefined) await refreshIndex(invocation, watermark);
  if (typeof options['metrics'] === 'string')
    await writeMetrics(options['metrics'], invocation, settings, Math.floor(Date.now() / 1000));
  publishing.tell(`${settings.cloud}: ${summary.message}`, summary);
  const isDone = summary.status === 'published' || summary.status === 'upToDate';
  return isDone ? EXIT.done : EXIT.unfinished;
}

function timeOf(given: unknown, now: Seconds): Seconds {
  if (typeof given !== 'string') return now;
  try {
    return scheduledTime({ scheduledTime: given }, now);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      `--until: got "${given}"; accepted: an ISO 8601 instant, such as ${iso(now)}, and none in the future`,
    );
  }
}
