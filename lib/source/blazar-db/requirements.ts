/** Properties that may be told, and the values that hosts have of them. */
export type KnownValues = ReadonlyMap<string, ReadonlySet<string>>;

const JOINS: ReadonlySet<unknown> = new Set(['and', 'or', 'not']);
const COMPARISONS: ReadonlySet<unknown> = new Set(['=', '==', '!=', '<', '<=', '>', '>=', 'in']);
const NUMBER = /^-?\d{1,15}(\.\d{1,6})?$/;

/** Deeper nesting than anybody writes. */
const DEEPEST = 8;

/**
 * What was asked for, as the text of a JSON object. Of what a user wrote, only comparisons of known properties with
 * numbers, or with values that some host has, are told; the others are null, because a name may be in them.
 *
 * @param text such as `["==", "$node_type", "compute_haswell"]`
 * @param size CPUs, memory and disk of a server
 */
export function requirementsOf(
  text: string | null,
  size: readonly (number | null)[] | null,
  known: KnownValues,
): string | null {
  const asked = parse(text);
  if (asked === undefined && size === null) return null;
  const [vcpus, memoryMb, diskGb] = size ?? [];
  return JSON.stringify({
    resource_properties: comparison(asked, known, DEEPEST),
    ...(size === null ? {} : { vcpus, memory_mb: memoryMb, disk_gb: diskGb }),
  });
}

function parse(text: string | null): unknown {
  if (text === null || text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function comparison(asked: unknown, known: KnownValues, depth: number): unknown {
  if (!Array.isArray(asked) || depth === 0) return null;
  const [operator, ...operands] = asked as unknown[];
  if (JOINS.has(operator)) return [operator, ...operands.map((one) => comparison(one, known, depth - 1))];
  const [property, ...values] = operands;
  const of =
    typeof property === 'string' && property.startsWith('$') ? known.get(property.slice(1)) : undefined;
  if (!COMPARISONS.has(operator) || of === undefined) return null;
  const isKnown = values.every((value) => of.has(String(value)) || NUMBER.test(String(value)));
  return isKnown ? [operator, property, ...values.map(String)] : null;
}
