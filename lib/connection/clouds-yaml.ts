import { InputError } from '../core/errors.ts';
import type { Field, OpenStackFields } from './openstack-fields.ts';

/** Enough for `<<: *defaults` in each of many clouds, too few to blow a small text up. */
const MAX_ALIASES = 100;

/**
 * Reads the text of a clouds.yaml. YAML 1.1, for that is what PyYAML and so openstacksdk reads: `verify: no` is false.
 * What other readers might take for a number is one here too, and refused later where a text is wanted.
 *
 * @throws InputError with the line; never with the text
 */
export async function readYaml(text: string): Promise<object> {
  // 110 KiB that few runs need. Bundled, a CommonJS package that is loaded late has no names of its own.
  const { default: yaml } = await import('yaml');
  let value: unknown;
  try {
    const document = yaml.parseDocument(text, {
      version: '1.1',
      stringKeys: true,
      uniqueKeys: true,
      logLevel: 'error',
    });
    // A tag that is not known is a warning to the parser. Its messages quote the text.
    const [wrong] = [...document.errors, ...document.warnings];
    if (wrong !== undefined) {
      throw new InputError(
        `secret: line ${wrong.linePos?.[0].line ?? 1}: ${wrong.code}; accepted: valid YAML`,
      );
    }
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      'secret: this YAML has an alias of nothing, too many aliases or too deep a nesting; accepted: the cloud alone',
    );
  }
  if (!isObject(value))
    throw new InputError('secret: accepted: the text of a clouds.yaml, with clouds: at its top');
  return value;
}

/** Which of several, as said outside of the file. */
export interface CloudChoice {
  readonly cloud?: string | undefined;
  /** Counts where nothing else chooses. */
  readonly otherwise?: string | undefined;
  readonly region?: string | undefined;
}

/**
 * Picks the cloud out of a clouds file as read from YAML or JSON, or takes a single cloud's own fields, with
 * clouds.yaml's names or `OS_` ones. What else stands beside `clouds` is for other tools.
 *
 * @throws InputError where there is not one cloud, or not one that is chosen
 */
export function cloudFields(value: object, choice: CloudChoice = {}): OpenStackFields {
  if (!('clouds' in value)) return fieldsOf(inRegion(value, choice.region), '');
  const { clouds, cloud: beside } = value as Record<string, unknown>;
  if (!isObject(clouds)) throw new InputError('secret: clouds: accepted: clouds by their names');

  const all = new Map(Object.entries(clouds));
  const [only] = all.keys();
  if (only === undefined) throw new InputError('secret: clouds: accepted: at least one cloud');
  const chosen = choice.cloud ?? beside ?? (all.size > 1 ? choice.otherwise : undefined);
  if (chosen === undefined && all.size > 1) {
    throw new InputError(
      'secret: clouds: has several; accepted: one, or cloud: NAME beside clouds to say which (OS_CLOUD or --os-cloud on the command line)',
    );
  }
  const name = chosen ?? only;
  const cloud = typeof name === 'string' ? all.get(name) : undefined;
  if (typeof name !== 'string' || !all.has(name)) {
    throw new InputError(
      'secret: cloud: accepted: the name of one of the clouds, in quotes if it is a number',
    );
  }
  if (!isObject(cloud))
    throw new InputError('secret: clouds: accepted: a cloud with auth, region_name and so on');
  return fieldsOf(inRegion(cloud, choice.region), 'clouds: ');
}

/** A list of `regions`: the one that is asked for, else the first, with its own values before those of the cloud. */
function inRegion(value: object, asked: string | undefined): object {
  const { regions, ...cloud } = value as Record<string, unknown>;
  if (regions === undefined) return asked === undefined ? value : { ...cloud, region_name: asked };
  const known = Array.isArray(regions) ? regions.map(regionOf) : [];
  const name = asked ?? cloud['region_name'];
  const region = name === undefined ? known[0] : known.find((each) => each?.name === name);
  if (known.length === 0 || known.includes(undefined))
    throw new InputError('secret: regions: accepted: a list of names, or of a name and values each');
  if (region === undefined)
    throw new InputError('secret: region_name: accepted: one of the names under regions');
  const auth = { auth: { ...(cloud['auth'] as object), ...(region.values['auth'] as object) } };
  return { ...cloud, ...region.values, ...('auth' in cloud ? auth : {}), region_name: region.name };
}

function regionOf(region: unknown): { name: string; values: Record<string, unknown> } | undefined {
  if (typeof region === 'string') return { name: region, values: {} };
  if (!isObject(region)) return undefined;
  const { name, values = {} } = region as Record<string, unknown>;
  return typeof name === 'string' && isObject(values) ? { name, values: { ...values } } : undefined;
}

function fieldsOf(cloud: object, path: string): OpenStackFields {
  const { auth, ...others } = cloud as Record<string, unknown>;
  const fields = Object.entries(others).map(([key, value]) => fieldOf(key, value, path));
  if ('auth' in cloud) {
    if (!isObject(auth))
      throw new InputError(`secret: ${path}auth: accepted: auth_url, username and so on within it`);
    fields.push(...Object.entries(auth).map(([key, value]) => fieldOf(key, value, `${path}auth: `)));
  }
  const isEnvironment = Object.keys(others).some((key) => key.startsWith('OS_'));
  return {
    fields,
    spell: (name) =>
      isEnvironment ? `${path}OS_${name.toUpperCase()}` : `${path}${'auth' in cloud ? 'auth: ' : ''}${name}`,
  };
}

function fieldOf(key: string, value: unknown, path: string): Field {
  const name = key.startsWith('OS_') ? key.slice('OS_'.length).toLowerCase() : key.replaceAll('-', '_');
  return { name, spelt: path + nameOf(key), value };
}

/** A value in the place of a name is not to be quoted. */
function nameOf(key: string): string {
  return /^(OS_[A-Z_]{1,40}|(?=.{1,40}$)[a-z]+([_-][a-z]+)*)$/.test(key) ? key : 'a key';
}

/** And no list, date or set, which YAML can write as well. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
