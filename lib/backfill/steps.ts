import * as z from 'zod/mini';
import { windowField } from '../core/fields.ts';
import { check } from '../core/validate.ts';

/* What the states of an execution pass on. A group is a run of windows for one worker. */

const execution = z.string().check(z.regex(/^[\w.-]{1,80}$/, { error: 'the name of an execution' }));
const request = z.record(z.string(), z.unknown());
const reader =
  <T extends z.ZodMiniType>(schema: T) =>
  (input: unknown): z.output<T> =>
    check(schema, input, { what: 'event' });

export const readPlanStep = reader(z.strictObject({ plan: request, execution }));
export const readWindowsStep = reader(z.strictObject({ group: windowField, request, execution }));
export const readEndStep = reader(
  z.union([
    z.strictObject({ verify: z.looseObject({ request, execution, groups: z.array(windowField) }) }),
    z.strictObject({ sweep: z.literal(true) }),
    z.looseObject({
      source: z.literal('aws.states'),
      detail: z.looseObject({ name: execution, input: z.optional(z.nullable(z.string())) }),
    }),
  ]),
);
