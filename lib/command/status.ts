import { rename, writeFile } from 'node:fs/promises';
import type { Settings } from '../config/settings.ts';
import { OutputError, firstLine } from '../core/errors.ts';
import { type Seconds, iso } from '../core/time.ts';
import { settledWindows } from '../core/window.ts';
import { readCheckpoint } from '../drop/checkpoint.ts';
import { type Place, placeOf } from '../drop/place.ts';
import { readTrace } from '../drop/trace.ts';
import { EXIT } from './exit.ts';
import { duration } from './progress.ts';
import { openPlace } from './publishing.ts';
import { type GivenOptions, gatherValues } from './settings.ts';
import { atHome } from './terminal.ts';

interface Status {
  readonly cloud: string;
  /** Everything that finished before is published. */
  readonly watermark: string | null;
  readonly begin: string | null;
  readonly ageSeconds: Seconds | null;
  /** Settled windows that are not published. */
  readonly windowsDue: number;
}

/**
 * Tells how far a trace is published. Reads the store alone, and needs no way to the cloud.
 *
 * @returns the exit status: whether a window is due
 */
export async function tellStatus(options: GivenOptions, signal: AbortSignal): Promise<number> {
  const { settings, opened } = await openPlace(await gatherValues(options), { create: false });
  await using _ = opened;
  const place = placeOf(settings, opened.store, signal);
  const now = Math.floor(Date.now() / 1000);
  const status = await statusOf(place, settings, now);
  if (typeof options['metrics'] === 'string') await write(options['metrics'], metricsOf(status, now));
  if (options['metrics'] !== '-')
    process.stdout.write(`${options['json'] === true ? JSON.stringify(status) : textOf(status)}\n`);
  return status.windowsDue === 0 && status.begin !== null ? EXIT.done : EXIT.unfinished;
}

/** Writes the same as metrics in the text format of Prometheus, for node_exporter's text files; `-` for standard output. */
export async function writeMetrics(
  path: string,
  place: Place,
  settings: Settings,
  now: Seconds,
): Promise<void> {
  await write(path, metricsOf(await statusOf(place, settings, now), now));
}

async function statusOf(place: Place, settings: Settings, now: Seconds): Promise<Status> {
  const trace = await readTrace(place);
  const stored = await readCheckpoint(place);
  const begin = trace?.kind === 'scheduled' ? trace.begin : null;
  const watermark = stored?.checkpoint.window.end ?? null;
  const from = watermark ?? begin;
  return {
    cloud: settings.cloud,
    watermark: watermark === null ? null : iso(watermark),
    begin: begin === null ? null : iso(begin),
    ageSeconds: watermark === null ? null : Math.floor(now - watermark),
    windowsDue: from === null ? 0 : settledWindows(from, now, settings).length,
  };
}

function textOf({ cloud, watermark, begin, ageSeconds, windowsDue }: Status): string {
  if (begin === null) return `${cloud}: nobody has begun this trace`;
  if (watermark === null || ageSeconds === null)
    return `${cloud}: begins at ${begin}; nothing is published yet, ${windowsDue} window(s) due`;
  return `${cloud}: published up to ${watermark}, ${duration(ageSeconds)} ago; ${windowsDue} window(s) due`;
}

function metricsOf({ cloud, watermark, ageSeconds, windowsDue }: Status, now: Seconds): string {
  const gauge = (name: string, help: string, value: number): string =>
    `# HELP star_compactor_${name} ${help}\n# TYPE star_compactor_${name} gauge\n` +
    `star_compactor_${name}{cloud="${cloud}"} ${value}\n`;
  const age = ageSeconds ?? Number.NaN;
  return (
    gauge('windows_due', 'Settled windows that are not published.', windowsDue) +
    (watermark === null
      ? ''
      : gauge('watermark_timestamp_seconds', 'Everything that finished before is published.', now - age) +
        gauge('watermark_age_seconds', 'Age of the watermark when this was written.', age))
  );
}

/** At once or not at all: what scrapes it must not meet half of it. */
async function write(given: string, text: string): Promise<void> {
  if (given === '-') {
    process.stdout.write(text);
    return;
  }
  const path = atHome(given);
  try {
    await writeFile(`${path}.part`, text);
    await rename(`${path}.part`, path);
  } catch (error) {
    throw new OutputError(`--metrics: ${path} could not be written: ${firstLine(error)}`, { cause: error });
  }
}
