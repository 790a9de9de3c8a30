import * as z from 'zod/mini';
import { FORMAT_NAMES, type FormatName } from '../config/choices.ts';
import type { ReleaseTrace, Trace } from '../drop/trace.ts';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { DAY, type Seconds, iso, parseInstant } from '../core/time.ts';
import { check } from '../core/validate.ts';
import { type Window, floorTo, windowText } from '../core/window.ts';

/** What an operator asks for: `{"start":"2025-01-01","end":"2026-01-01"}`, and how. */
export interface Asked {
  readonly start: string;
  readonly end: string;
  /** Name of the release; undefined for a backfill of the scheduled trace. */
  readonly release: string | undefined;
  /** Of a release, where they are not the deployment's. */
  readonly formats: readonly FormatName[] | undefined;
  /** How many groups of windows a state machine works on at once. */
  readonly concurrency: number;
  readonly dryRun: boolean;
  /** Whether a range that reaches too far is shortened instead of refused. */
  readonly cut: boolean;
}

/** The same, with a range that may be published: from the start of a window to the end of one. */
export interface BackfillRequest extends Omit<Asked, 'start' | 'end'> {
  /** To be published. */
  readonly range: Window;
  /** The same, but of a release as its trace was begun: what the source did not have any more is in here still. */
  readonly asked: Window;
  readonly windowSeconds: Seconds;
}

const INSTANT = 'an ISO 8601 date or instant such as 2026-11-01 or 2026-11-01T06:00:00Z';
const FORMATS = `a list of one or more of ${FORMAT_NAMES.join(', ')}, each once`;
const NAME = 'a name of 1 to 32 letters, digits, dots, hyphens and underscores';
const CONCURRENT = 'a whole number, 1 to 100';

const instant = z
  .string({ error: INSTANT })
  .check(z.refine((text) => parseInstant(text) !== undefined, { error: INSTANT }));

const flag = z.optional(z.boolean({ error: 'true or false' }));

const Event = z.strictObject(
  {
    start: instant,
    end: instant,
    release: z.optional(z.string({ error: NAME }).check(z.regex(/^[\w.-]{1,32}$/, { error: NAME }))),
    formats: z.optional(
      z
        .array(z.enum(FORMAT_NAMES, { error: FORMATS }), { error: FORMATS })
        .check(
          z.refine((names) => names.length > 0 && new Set(names).size === names.length, { error: FORMATS }),
        ),
    ),
    concurrency: z.optional(
      z.int({ error: CONCURRENT }).check(z.refine((n) => n >= 1 && n <= 100, { error: CONCURRENT })),
    ),
    dryRun: flag,
    cut: flag,
  },
  { error: 'an object with start and end' },
);

/** A database bears a few readers beside its users; Lambda would bear a thousand. */
const CONCURRENCY = 4;

/** Ten years of hourly windows. */
const MOST_WINDOWS = 100_000;

/** Late commits are in by then. */
const LEAST_AGE = DAY;

/**
 * Reads the event of a backfill, without the trace that it is for.
 *
 * @throws InputError naming the field, what came and what is accepted
 */
export function readRequest(event: unknown): Asked {
  const {
    concurrency = CONCURRENCY,
    dryRun = false,
    cut = false,
    ...asked
  } = check(Event, event, { what: 'event' });
  if (asked.release === undefined && asked.formats !== undefined) {
    throw new InputError(
      `event: formats: got ${JSON.stringify(asked.formats)} without release; accepted: with a release only, for the drops ` +
        'of a scheduled trace are all made by the deployment’s settings',
    );
  }
  if (asked.release !== undefined && cut) {
    throw new InputError('event: cut: got true with release; accepted: a range that need not be cut');
  }
  return { ...asked, release: asked.release, formats: asked.formats, concurrency, dryRun, cut };
}

/** The settings as deployed, but for a trace of its own and the formats that a release asks for. */
export function settingsFor(
  { release, formats }: Pick<Asked, 'release' | 'formats'>,
  deployed: Settings,
): Settings {
  if (release === undefined) return deployed;
  const cloud = `${deployed.cloud}-${release}`;
  return { ...deployed, cloud, release, formats: formats ?? deployed.formats };
}

/** The last edge of a window that is old enough for a backfill to publish up to it. */
export function latestEdge(now: Seconds, windowSeconds: Seconds): Seconds {
  return floorTo(now - LEAST_AGE, windowSeconds);
}

/**
 * Holds what was asked for against the trace.
 *
 * @param trace undefined where nobody has begun it
 * @throws InputError for times that are not edges of windows, a range that reaches too far, and a release that was
 *   begun with something else
 */
export function resolveRequest(
  asked: Asked,
  trace: Trace | undefined,
  settings: Settings,
  now: Seconds,
): BackfillRequest {
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
  const why =
    begin <= latest
      ? `the trace begins at ${iso(begin)}, and the schedule publishes what follows`
      : 'windows are published once they ended 24 hours ago';
  if (end > limit && !(asked.cut && start < limit)) {
    const field = start < limit ? 'end' : 'start';
    const accepted = field === 'start' ? `before ${iso(limit)}` : `up to ${iso(limit)}`;
    const orCut = field === 'end' && asked.release === undefined ? ', or "cut": true' : '';
    throw new InputError(
      `event: ${field}: got "${field === 'end' ? to : from}", but ${why}; accepted: ${accepted}${orCut}`,
    );
  }
  const range = { start, end: Math.min(end, limit) };
  const count = (range.end - start) / windowSeconds;
  if (count > MOST_WINDOWS) {
    throw new InputError(`event: end: a range of ${count} windows; accepted: up to ${MOST_WINDOWS} at once`);
  }
  if (trace?.kind !== 'release') return { ...rest, range, asked: range, windowSeconds };
  refuseOtherRelease(range, trace, settings);
  return { ...rest, range: trace.range, asked: trace.asked, windowSeconds };
}

/** The event that asks for the same again. */
export function eventOf({ asked, release, formats, concurrency }: BackfillRequest): object {
  return {
    start: iso(asked.start),
    end: iso(asked.end),
    ...(release === undefined ? {} : { release }),
    ...(formats === undefined ? {} : { formats }),
    ...(concurrency === CONCURRENCY ? {} : { concurrency }),
  };
}

function refuseOtherKind({ release }: Asked, trace: Trace | undefined, { cloud }: Settings): void {
  if (trace === undefined || (trace.kind === 'release') === (release !== undefined)) return;
  throw release === undefined
    ? new InputError(`STAR_CLOUD: got "${cloud}", which is a release; accepted: a name that no release has`)
    : new InputError(
        `event: release: got "${release}", but cloud=${cloud} is a scheduled trace; accepted: another name`,
      );
}

/** What shows without the secret; the settings are compared by those who have it. */
function refuseOtherRelease(range: Window, trace: ReleaseTrace, { formats, cloud }: Settings): void {
  const remedy = `choose another name, or delete cloud=${cloud} if it is incomplete`;
  const { asked } = trace;
  if (range.start !== asked.start || range.end !== asked.end) {
    throw new InputError(
      `event: start, end: got ${windowText(range)}, but the release was begun with ${windowText(asked)}; ` +
        `accepted: the same; or ${remedy}`,
    );
  }
  if (formats.join() !== trace.formats.join()) {
    throw new InputError(
      `event: formats: got ${formats.join()}, but the release was begun with ${trace.formats.join()}; ` +
        `accepted: the same; or ${remedy}`,
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
