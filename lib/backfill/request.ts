import * as z from 'zod/mini';
import { InputError } from '../errors.ts';
import { FORMAT_NAMES, type FormatName } from '../format/format.ts';
import type { Settings } from '../settings.ts';
import { type Seconds, iso, parseInstant } from '../time.ts';
import { check } from '../validate.ts';
import { type Window, type WindowPlan, floorTo } from '../window.ts';

/** What an operator asks for: `{"start":"2025-01-01","end":"2026-01-01"}` and how. */
export interface BackfillRequest {
  /** From the start of a window to the end of one. */
  readonly range: Window;
  /** Whether windows that are published are made anew. */
  readonly replace: boolean;
  /** Id of an earlier try to replace it, whose drops are not made again; undefined for a first one. */
  readonly replacement: string | undefined;
  /** Other formats than the deployment's; undefined for these. */
  readonly formats: readonly FormatName[] | undefined;
  /** How many groups of windows a state machine works on at once. */
  readonly concurrency: number;
  readonly dryRun: boolean;
  /** Whether a range that reaches too far is shortened instead of refused. */
  readonly cut: boolean;
}

const INSTANT = 'an ISO 8601 date or instant such as 2026-11-01 or 2026-11-01T06:00:00Z';

const instant = z
  .string({ error: INSTANT })
  .check(z.refine((text) => parseInstant(text) !== undefined, { error: INSTANT }));

const flag = z.optional(z.boolean({ error: 'true or false' }));

const ID = '16 hexadecimal digits, as in the "next" of an answer';

const FORMATS = `a list of one or more of ${FORMAT_NAMES.join(', ')}, each once`;

const Event = z.strictObject(
  {
    start: instant,
    end: instant,
    replace: flag,
    replacement: z.optional(z.string({ error: ID }).check(z.regex(/^[0-9a-f]{16}$/, { error: ID }))),
    formats: z.optional(
      z
        .array(z.enum(FORMAT_NAMES, { error: FORMATS }), { error: FORMATS })
        .check(
          z.refine((names) => names.length > 0 && new Set(names).size === names.length, { error: FORMATS }),
        ),
    ),
    concurrency: z.optional(
      z
        .int({ error: 'a whole number, 1 to 100' })
        .check(z.refine((n) => n >= 1 && n <= 100, { error: 'a whole number, 1 to 100' })),
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

/**
 * Reads the event of a backfill.
 *
 * @param now windows have to be settled by then
 * @throws InputError naming the field, what came and what is accepted; for times that are not at the edge of a window
 *   the nearest ones
 */
export function readRequest(event: unknown, plan: WindowPlan, now: Seconds): BackfillRequest {
  const asked = check(Event, event, { what: 'event' });
  const start = edge('start', asked.start, plan);
  const end = edge('end', asked.end, plan);
  if (end <= start) {
    throw new InputError(`event: end: got "${asked.end}"; accepted: a time after start, ${iso(start)}`);
  }
  const settled = floorTo(now - plan.settleSeconds, plan.windowSeconds);
  if (end > settled && asked.cut !== true) {
    throw new InputError(
      `event: end: got "${asked.end}", which is not settled yet; accepted: up to ${iso(settled)}, or "cut": true`,
    );
  }
  if (asked.replacement !== undefined && asked.replace !== true) {
    throw new InputError(
      `event: replacement: got "${asked.replacement}" without replace; accepted: both, or neither`,
    );
  }
  const range = { start, end: Math.min(end, settled) };
  if (range.end <= start) {
    throw new InputError(
      `event: start: got "${asked.start}"; accepted: a time before ${iso(settled)}, the settled edge`,
    );
  }
  const count = (range.end - start) / plan.windowSeconds;
  if (count > MOST_WINDOWS) {
    throw new InputError(`event: end: a range of ${count} windows; accepted: up to ${MOST_WINDOWS} at once`);
  }
  return {
    range,
    replace: asked.replace ?? false,
    replacement: asked.replacement,
    formats: asked.formats,
    concurrency: asked.concurrency ?? CONCURRENCY,
    dryRun: asked.dryRun ?? false,
    cut: asked.cut ?? false,
  };
}

/** The settings as deployed, but for what the request asks for instead. */
export function settingsFor({ formats }: BackfillRequest, deployed: Settings): Settings {
  return { ...deployed, formats: formats ?? deployed.formats };
}

/** The event that asks for a part of a range. */
export function eventOf(
  { replace, replacement, formats, concurrency }: BackfillRequest,
  { start, end }: Window,
): object {
  return {
    start: iso(start),
    end: iso(end),
    ...(replace ? { replace } : {}),
    ...(replacement === undefined ? {} : { replacement }),
    ...(formats === undefined ? {} : { formats }),
    ...(concurrency === CONCURRENCY ? {} : { concurrency }),
  };
}

function edge(field: 'start' | 'end', text: string, { windowSeconds }: WindowPlan): Seconds {
  const time = parseInstant(text) ?? Number.NaN;
  const before = floorTo(time, windowSeconds);
  if (before === time) return time;
  throw new InputError(
    `event: ${field}: got "${text}", which is within a window; ` +
      `accepted: the edge of one, such as ${iso(before)} or ${iso(before + windowSeconds)}`,
  );
}
