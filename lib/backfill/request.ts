import * as z from 'zod/mini';
import { COMPRESSIONS, FORMAT_NAMES } from '../config/choices.ts';
import type { ReleaseTrace, Trace } from '../drop/trace.ts';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { DAY, type Seconds, iso, parseInstant } from '../core/time.ts';
import { check } from '../core/validate.ts';
import { type Window, floorTo, windowText } from '../core/window.ts';

const INSTANT = 'an ISO 8601 date or instant such as 2026-11-01 or 2026-11-01T06:00:00Z';
const FORMATS = `a list of one or more of ${FORMAT_NAMES.join(', ')}, each once`;
const NAME = 'a name of 1 to 32 letters, digits, dots, hyphens and underscores';
const COUNT = 'a whole number, 1 to 100';

const instant = z.string(INSTANT).check(z.refine((text) => parseInstant(text) !== undefined, INSTANT));
const flag = z.prefault(z.boolean('true or false'), false);
const isSet = (names: readonly string[]): boolean => names.length > 0 && new Set(names).size === names.length;

/** What an operator asks for: `{"start":"2025-01-01","end":"2026-01-01"}`, and how. */
const Event = z.strictObject(
  {
    start: instant,
    end: instant,
    /** Name of the release; without one, the backfill is of the scheduled trace. */
    release: z.optional(z.string(NAME).check(z.regex(/^[\w.-]{1,32}$/, NAME))),
    /** Of a release, if they are not the deployment's. */
    formats: z.optional(z.array(z.enum(FORMAT_NAMES, FORMATS), FORMATS).check(z.refine(isSet, FORMATS))),
    /** Of CSV and JSON lines, likewise. */
    compression: z.optional(z.enum(COMPRESSIONS, COMPRESSIONS.join(' or '))),
    /** How many groups of windows a state machine works on at once. A database can serve a few beside its users. */
    concurrency: z.prefault(z.int(COUNT).check(z.gte(1, COUNT), z.lte(100, COUNT)), 4),
    dryRun: flag,
    /** Whether a range that reaches too far is shortened instead of refused. */
    cut: flag,
  },
  'an object with start and end',
);

export type Asked = z.output<typeof Event>;

/** The same, with a range that may be published: from the start of a window to the end of one. */
export interface BackfillRequest extends Omit<Asked, 'start' | 'end'> {
  readonly range: Window;
  readonly windowSeconds: Seconds;
}

/** Ten years of hourly windows. */
const MOST_WINDOWS = 100_000;

/**
 * Reads the event of a backfill, before its trace is looked at.
 *
 * @throws InputError naming the field, what came and what is accepted
 */
export function readRequest(event: unknown): Asked {
  const asked = check(Event, event, { what: 'event' });
  for (const field of ['formats', 'compression'] as const) {
    if (asked.release !== undefined || asked[field] === undefined) continue;
    throw new InputError(
      `event: ${field}: got ${JSON.stringify(asked[field])} without release; accepted: with a release only, because all ` +
        `drops of a scheduled trace have the deployment’s ${field}`,
    );
  }
  if (asked.release !== undefined && asked.cut) {
    throw new InputError('event: cut: got true with release; accepted: a range that need not be cut');
  }
  return asked;
}

/** The settings as deployed, but for a trace of its own and what else a release asks for. */
export function settingsFor({ release, formats, compression }: Partial<Asked>, deployed: Settings): Settings {
  if (release === undefined) return deployed;
  const cloud = `${deployed.cloud}-${release}`;
  return {
    ...deployed,
    cloud,
    release: { name: release, range: undefined },
    formats: formats ?? deployed.formats,
    compression: compression ?? deployed.compression,
  };
}

/** The last edge of a window up to which a backfill publishes: after a day, late commits have arrived. */
export function latestEdge(now: Seconds, windowSeconds: Seconds): Seconds {
  return floorTo(now - DAY, windowSeconds);
}

/**
 * Checks a request against its trace.
 *
 * @param trace undefined if no run has begun it
 * @throws InputError for times that are not edges of windows, a range that reaches too far, and a release that was
 *   begun with something else
 */
export function resolveRequest(asked: Asked, trace: Trace | undefined, settings: Settings, now: Seconds) {
  refuseOtherKind(asked, trace, settings);
  const windowSeconds = trace?.windowSeconds ?? settings.windowSeconds;
  const { start: from, end: to, ...rest } = asked;
  const start = edge('start', from, windowSeconds);
  const end = edge('end', to, windowSeconds);
  if (end <= start)
    throw new InputError(`event: end: got "${to}"; accepted: a time after start, ${iso(start)}`);

  const latest = latestEdge(now, windowSeconds);
  const begin = trace?.kind === 'scheduled' ? trace.begin : Infinity;
  const limit = Math.min(latest, begin);
  if (end > limit && !(asked.cut && start < limit)) {
    const why =
      begin <= latest
        ? `the trace begins at ${iso(begin)}, and the schedule publishes what follows`
        : 'windows are published once they ended 24 hours ago';
    const orCut = asked.release === undefined ? ', or "cut": true' : '';
    throw new InputError(
      start < limit
        ? `event: end: got "${to}", but ${why}; accepted: up to ${iso(limit)}${orCut}`
        : `event: start: got "${from}", but ${why}; accepted: before ${iso(limit)}`,
    );
  }
  const range = { start, end: Math.min(end, limit) };
  const count = (range.end - start) / windowSeconds;
  if (count > MOST_WINDOWS) {
    throw new InputError(`event: end: a range of ${count} windows; accepted: up to ${MOST_WINDOWS} at once`);
  }
  const request: BackfillRequest = { ...rest, range, windowSeconds };
  if (trace?.kind !== 'release') return request;
  // The plan of the release cut off what the source no longer had.
  const own = { start: Math.max(start, trace.range.start), end: range.end };
  refuseOtherRelease(own, trace, settings);
  return { ...request, range: own };
}

function refuseOtherKind({ release }: Asked, trace: Trace | undefined, { cloud }: Settings): void {
  if (trace === undefined || (trace.kind === 'release') === (release !== undefined)) return;
  throw release === undefined
    ? new InputError(`STAR_CLOUD: got "${cloud}", which is a release; accepted: a name that no release has`)
    : new InputError(
        `event: release: got "${release}", but cloud=${cloud} is a scheduled trace; accepted: another name`,
      );
}

/** Compares what needs no secret. `refuseOtherSettings` compares the settings. */
function refuseOtherRelease(range: Window, trace: ReleaseTrace, settings: Settings): void {
  const { tables, formats, compression, cloud } = settings;
  const fields = [
    ['event: start, end', windowText(range), windowText(trace.range)],
    ['event: formats', formats.join(), trace.formats.join()],
    ['event: compression', compression, trace.compression],
    ['STAR_TABLES', tables.join(), trace.tables.join()],
  ];
  for (const [field, came, begun] of fields) {
    if (came === begun) continue;
    throw new InputError(
      `${field}: got ${came}, but the release was begun with ${begun}; accepted: the same; ` +
        `or choose another name, or delete cloud=${cloud} if it is incomplete`,
    );
  }
}

function edge(field: 'start' | 'end', text: string, windowSeconds: Seconds): Seconds {
  const time = parseInstant(text) ?? Number.NaN;
  const before = floorTo(time, windowSeconds);
  if (before === time) return time;
  throw new InputError(
    `event: ${field}: got "${text}", which is within a window; ` +
      `accepted: the edge of one, such as ${iso(before)} or ${iso(before + windowSeconds)}`,
  );
}
