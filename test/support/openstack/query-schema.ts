import { queryTime } from './instants.ts';
import { badRequest } from './nova-errors.ts';

/** Says what is wrong with a value, in jsonschema's words. */
export type Rule = (value: string) => string | undefined;

export interface QuerySchema {
  readonly properties: Readonly<Record<string, Rule>>;
  /** Names that may be given once only. */
  readonly single?: boolean;
  /** What becomes of names that are not in the schema: they are passed over, or refused. */
  readonly additional: 'strip' | 'refuse';
  /** Names that are neither, for what comes later to refuse them. */
  readonly pattern?: RegExp;
}

export const anyText: Rule = () => undefined;

export const naturalNumber: Rule = (value) => {
  if (value === '') return "'' is too short";
  return /^\d*$/.test(value) ? undefined : `${quote(value)} does not match '^[0-9]*$'`;
};

export const dateTime: Rule = (value) =>
  queryTime(value) === undefined ? `${quote(value)} is not a 'date-time'` : undefined;

export const regex: Rule = (value) => {
  try {
    void new RegExp(value);
    return undefined;
  } catch {
    return `${quote(value)} is not a 'regex'`;
  }
};

export function oneOf(accepted: readonly string[]): Rule {
  return (value) =>
    accepted.includes(value)
      ? undefined
      : `${quote(value)} is not one of [${accepted.map(quote).join(', ')}]`;
}

/**
 * Checks a query and gives what of it counts (`query_schema` in nova/api/validation/__init__.py).
 *
 * @throws NovaError 400
 */
export function checkQuery(params: URLSearchParams, schema: QuerySchema): URLSearchParams {
  const names = [...new Set(params.keys())];
  const known = names.filter((name) => Object.hasOwn(schema.properties, name));
  const unknown = names.filter((name) => !known.includes(name) && schema.pattern?.test(name) !== true);
  for (const name of known) {
    const values = params.getAll(name);
    for (const value of values) {
      const problem = schema.properties[name]?.(value);
      if (problem !== undefined) throw invalid(name, value, problem);
    }
    if (schema.single === true && values.length > 1) {
      const list = `[${values.map(quote).join(', ')}]`;
      throw invalid(name, list, `${list} is too long`);
    }
  }
  if (schema.additional === 'refuse' && unknown.length > 0) throw badRequest(additional(schema, unknown));
  return new URLSearchParams([...params].filter(([name]) => !unknown.includes(name)));
}

function invalid(name: string, value: string, problem: string) {
  return badRequest(`Invalid input for query parameters ${name}. Value: ${value}. ${problem}`);
}

function additional({ pattern }: QuerySchema, unknown: readonly string[]): string {
  const names = unknown.toSorted().map(quote).join(', ');
  const several = unknown.length > 1;
  if (pattern === undefined)
    return `Additional properties are not allowed (${names} ${several ? 'were' : 'was'} unexpected)`;
  return `${names} ${several ? 'do' : 'does'} not match any of the regexes: ${quote(pattern.source)}`;
}

/** As Python would show it. */
function quote(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`;
}

/** What webob's `GET[name]` gives. */
export function lastOf(params: URLSearchParams, name: string): string | undefined {
  return params.getAll(name).at(-1);
}
