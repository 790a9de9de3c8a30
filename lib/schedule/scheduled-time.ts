import * as z from 'zod/mini';
import { InputError } from '../core/errors.ts';
import { MINUTE, type Seconds, iso, parseInstant } from '../core/time.ts';
import { check } from '../core/validate.ts';

const ACCEPTED = 'an ISO 8601 instant such as 2026-11-23T00:45:00Z';

const instant = z
  .string({ error: ACCEPTED })
  .check(z.refine((text) => parseInstant(text) !== undefined && text.includes('T'), { error: ACCEPTED }));

/** The event of the project's own schedule (EventBridge Scheduler). */
const SchedulerEvent = z.strictObject({ scheduledTime: instant });

/** The event of a scheduled EventBridge rule, as documented; only `time` is used. */
const RuleEvent = z.looseObject({ source: z.literal('aws.events'), time: instant });

/** The clocks of EventBridge and Lambda may differ by this much. Windows are settled for longer, so none is published early. */
const CLOCK_SKEW = 5 * MINUTE;

/**
 * The time for which the run was scheduled. Windows follow from it, not from the clock, so a retried or delayed
 * invocation publishes the same windows.
 *
 * @param now only to refuse a time in the future, whose windows cannot be settled
 * @throws InputError naming the field
 */
export function scheduledTime(event: unknown, now: Seconds): Seconds {
  const isRule = typeof event === 'object' && event !== null && 'detail-type' in event;
  const text = isRule
    ? check(RuleEvent, event, { what: 'event' }).time
    : check(SchedulerEvent, event, { what: 'event' }).scheduledTime;
  const time = parseInstant(text) ?? Number.NaN;
  if (time > now + CLOCK_SKEW) {
    const field = isRule ? 'time' : 'scheduledTime';
    throw new InputError(`event: ${field}: got "${text}"; accepted: a time not after ${iso(now)}`);
  }
  return time;
}
