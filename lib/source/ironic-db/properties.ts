/** Which properties of nodes are published, and which of them is the rack. */
export interface PropertyChoice {
  /** In the order in which they are published. */
  readonly names: readonly string[];
  readonly rack: string;
}

/** What Ironic itself tells of a node. */
export interface NodeFacts {
  readonly resourceClass: string | null;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Longer ones are no values of a property, but documents. */
const LONGEST = 255;

const EXTRA = 'extra.';
const CAPABILITIES = 'capabilities.';

/** Whether a name asks for Ironic's `extra`, which is not read otherwise: anything may be in it. */
export function asksForExtra({ names, rack }: PropertyChoice): boolean {
  return [...names, rack].some((name) => name.startsWith(EXTRA));
}

/** The text of a JSON object: all names, in their order; null for what is not known. */
export function propertiesOf(
  facts: NodeFacts,
  capabilities: ReadonlyMap<string, string> | undefined,
  { names, rack }: PropertyChoice,
): string {
  const published = names.filter((name) => name !== rack);
  return JSON.stringify(
    Object.fromEntries(published.map((name) => [name, valueOf(name, facts, capabilities)])),
  );
}

export function rackOfNode(
  facts: NodeFacts,
  capabilities: ReadonlyMap<string, string> | undefined,
  { rack }: PropertyChoice,
): string | null {
  return valueOf(rack, facts, capabilities);
}

/** Blazar's capability of that name, else what Ironic tells. */
function valueOf(
  name: string,
  { resourceClass, properties, extra }: NodeFacts,
  capabilities: ReadonlyMap<string, string> | undefined,
): string | null {
  const known = capabilities?.get(name);
  if (known !== undefined) return text(known);
  if (name === 'resource_class') return text(resourceClass);
  if (name.startsWith(EXTRA)) return text(own(extra, name.slice(EXTRA.length)));
  if (name.startsWith(CAPABILITIES)) {
    const listed = own(properties, 'capabilities');
    const pairs = typeof listed === 'string' ? listed.split(',') : [];
    const wanted = `${name.slice(CAPABILITIES.length)}:`;
    return text(pairs.find((pair) => pair.startsWith(wanted))?.slice(wanted.length));
  }
  return text(own(properties, name));
}

function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function text(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.length <= LONGEST ? value : null;
}
