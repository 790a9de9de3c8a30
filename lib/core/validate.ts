import * as z from 'zod/mini';
import { InputError } from './errors.ts';

/**
 * Checks `value` against `schema`. The schema's own messages say what is accepted; the error adds the field's
 * name and, unless it may be a secret (`hidden`: all of it, or the fields named), the value that came.
 *
 * @param what names the whole, such as "event" or "secret"; an empty string if field names are enough
 * @throws InputError for the first thing found wrong, unknown keys included
 */
export function check<T extends z.ZodMiniType>(
  schema: T,
  value: unknown,
  options: { what: string; hidden?: boolean | ReadonlySet<string> },
): z.output<T> {
  const result = z.safeParse(schema, value, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw new InputError(`${options.what}: not accepted`);

  const path = [options.what, ...issue.path.map(nameOf)].filter((part) => part !== '');
  if (issue.code === 'unrecognized_keys') {
    // A key of a secret may be a misplaced value.
    const key = options.hidden === true ? 'a key' : String(issue.keys[0]);
    throw new InputError(`${[...path, key].join(': ')}: unknown; accepted: ${known(schema, issue.path)}`);
  }
  const accepted = issue.code === 'invalid_key' ? issue.issues[0]?.message : issue.message;
  const isSaid = issue.input === undefined || !isHidden(options.hidden, issue.path);
  const came = isSaid ? ` got ${shown(issue.input)};` : '';
  throw new InputError(`${path.join(': ')}:${came} accepted: ${accepted}`);
}

/** Names of fields and cells; any other key may be a misplaced secret. */
function nameOf(key: PropertyKey): string {
  return /^[\w.-]{1,64}$/.test(String(key)) ? String(key) : 'a name';
}

function isHidden(hidden: boolean | ReadonlySet<string> | undefined, path: PropertyKey[]): boolean {
  return typeof hidden === 'object' ? hidden.has(String(path[0])) : hidden === true;
}

function known(schema: z.ZodMiniType, path: PropertyKey[]): string {
  const shape = 'shape' in schema && path.length === 0 ? (schema.shape as object) : {};
  return Object.keys(shape).join(', ') || 'no further keys';
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = asJson(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Undefined if JSON cannot express it, for example if it is nested too deeply for the stack. */
function asJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
