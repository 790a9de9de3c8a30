import { InputError } from '../core/errors.ts';
import type { Field, OpenStackFields } from './openstack-fields.ts';

/** Enough for `<<: *defaults` in each of many clouds, and too few for a small text to grow without limit. */
const MAX_ALIASES = 100;

/**
 * Reads the text of a clouds.yaml as YAML 1.1, which PyYAML and so openstacksdk use: `verify: no` is false. Text that
 * looks like a number becomes a number, and is refused later if the field needs text.
 *
 * @throws InputError with the line; never with the text
 */
export async function readYaml(text: string): Promise<object> {
  // 110 KiB that few runs need. In the bundle a CommonJS package that is loaded late has a default export only.
  const { default: yaml } = await import('yaml');
  let value: unknown;
  try {
    const document = yaml.parseDocument(text, {
      version: '1.1',
      stringKeys: true,
      uniqueKeys: true,
      logLevel: 'error',
    });
    // The parser only warns of an unknown tag. Its messages quote the text.
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

/** Which cloud and region to take, chosen outside of the file. */
export interface CloudChoice {
  readonly cloud?: string | undefined;
  /** Used if nothing else chooses a cloud. */
  readonly otherwise?: string | undefined;
  readonly region?: string | undefined;
}

/**
 * Picks the cloud out of a clouds file as read from YAML or JSON, or takes a single cloud's own fields, with
 * clouds.yaml's names or `OS_` ones. Other keys beside `clouds` are for other tools.
 *
 * @throws InputError if there is no cloud, or none is chosen of several
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

/** Takes the requested region of a list of `regions`, or the first. Its values override those of the cloud. */
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
    labelOf: (name) =>
      isEnvironment ? `${path}OS_${name.toUpperCase()}` : `${path}${'auth' in cloud ? 'auth: ' : ''}${name}`,
  };
}

function fieldOf(key: string, value: unknown, path: string): Field {
  const name = key.startsWith('OS_') ? key.slice('OS_'.length).toLowerCase() : key.replaceAll('-', '_');
  return { name, writtenAs: path + nameOf(key), value };
}

/** The key, unless it may be a value in the wrong place, which is never quoted. */
function nameOf(key: string): string {
  return /^(OS_[A-Z_]{1,40}|(?=.{1,40}$)[a-z]+([_-][a-z]+)*)$/.test(key) ? key : 'a key';
}

/** Excludes lists, dates and sets, which YAML can express as well. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
