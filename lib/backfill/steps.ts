import * as z from 'zod/mini';
import { iso, parseInstant } from '../core/time.ts';
import { check } from '../core/validate.ts';
import { type Window, windowKey } from '../core/window.ts';

/** A range as the states of an execution pass it on. */
export interface Group {
  readonly start: string;
  readonly end: string;
  /** Where what was planned for it is kept, also when only a part is left. */
  readonly plan: string;
}

export function groupOf(window: Window): Group {
  return { start: iso(window.start), end: iso(window.end), plan: windowKey(window) };
}

export function windowOf({ start, end }: Group): Window {
  return { start: parseInstant(start) ?? Number.NaN, end: parseInstant(end) ?? Number.NaN };
}

const group = z.strictObject({ start: z.string(), end: z.string(), plan: z.string() });
const execution = z.string().check(z.regex(/^[\w.-]{1,80}$/, { error: 'the name of an execution' }));
const event = z.record(z.string(), z.unknown());

const PlanStep = z.strictObject({ plan: event, execution });
const WindowsStep = z.strictObject({ group, request: event, execution });
const EndStep = z.union([
  z.strictObject({ verify: z.strictObject({ request: event, execution, groups: z.array(group) }) }),
  z.strictObject({ sweep: z.literal(true) }),
  z.looseObject({
    source: z.literal('aws.states'),
    detail: z.looseObject({ name: execution, input: z.optional(z.nullable(z.string())) }),
  }),
]);

export const readPlanStep = (input: unknown) => check(PlanStep, input, { what: 'event' });
export const readWindowsStep = (input: unknown) => check(WindowsStep, input, { what: 'event' });
export const readEndStep = (input: unknown) => check(EndStep, input, { what: 'event' });
