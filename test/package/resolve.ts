// Works out a template's conditions and intrinsic functions as CloudFormation would, so that tests can speak of
// what would be deployed. Knows only what the project's own template uses.

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Properties = Record<string, Json>;

export interface Resource {
  readonly type: string;
  readonly properties: Properties;
  readonly deletionPolicy: Json;
}

export interface Stack {
  readonly resources: ReadonlyMap<string, Resource>;
  readonly outputs: Properties;
}

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-central-1',
  'AWS::URLSuffix': 'amazonaws.com',
};

export function resolveTemplate(template: Json): Stack {
  const conditions = object(object(template)['Conditions']);

  function holds(condition: Json | undefined): boolean {
    const [name, given] = only(object(condition));
    if (name === 'Condition') return holds(conditions[string(given)]);
    const operands = list(given);
    if (name === 'Fn::Equals') return value(operands[0] ?? null) === value(operands[1] ?? null);
    if (name === 'Fn::Not') return !holds(operands[0]);
    if (name === 'Fn::And') return operands.every(holds);
    throw new Error(`unknown condition ${name}`);
  }

  /** undefined for what AWS::NoValue removes. */
  function value(item: Json): Json | undefined {
    if (Array.isArray(item)) return item.map(value).filter((element) => element !== undefined);
    if (typeof item !== 'object' || item === null) return item;
    const [name, given] = only(item);
    if (name === 'Ref') return given === 'AWS::NoValue' ? undefined : reference(string(given));
    if (name === 'Fn::GetAtt') return list(given).map(string).join('.');
    if (name === 'Fn::Sub') return substitute(given);
    if (name === 'Fn::Join')
      return list(value(list(given)[1] ?? []))
        .map(string)
        .join(string(list(given)[0]));
    if (name === 'Fn::Split') return string(list(given)[1]).split(string(list(given)[0]));
    if (name === 'Fn::If') {
      const [condition, yes = null, no = null] = list(given);
      return value(holds(conditions[string(condition)]) ? yes : no);
    }
    return resolved(item);
  }

  function resolved(item: Properties): Properties {
    const result: Properties = {};
    for (const [key, element] of Object.entries(item)) {
      const found = value(element);
      if (found !== undefined) result[key] = found;
    }
    return result;
  }

  function substitute(given: Json): string {
    const [pattern, variables = {}] = Array.isArray(given) ? given : [given];
    const filled = string(pattern).replaceAll(/\$\{([\w:.]+)\}/g, (_, name: string) => {
      const local = object(variables)[name];
      return string(local === undefined ? reference(name) : value(local));
    });
    // What begins with an exclamation mark is meant as it stands.
    return filled.replaceAll('${!', '${');
  }

  const existing = Object.entries(object(object(template)['Resources'])).filter(([, resource]) => {
    const condition = object(resource)['Condition'];
    return condition === undefined || holds(conditions[string(condition)]);
  });
  return {
    resources: new Map(
      existing.map(([name, resource]) => [
        name,
        {
          type: string(object(resource)['Type']),
          properties: resolved(object(object(resource)['Properties'])),
          deletionPolicy: object(resource)['DeletionPolicy'] ?? null,
        },
      ]),
    ),
    outputs: resolved(object(object(template)['Outputs'])),
  };
}

export interface Statement {
  readonly effect: string;
  readonly sid: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly condition: Json;
}

/** Every statement of a role's or bucket's own policies. */
export function statements({ properties }: Resource): Statement[] {
  const own = list(properties['Policies'] ?? []).map((policy) => object(policy)['PolicyDocument']);
  return [...own, properties['PolicyDocument']]
    .filter((document) => document !== undefined)
    .flatMap((document) => list(object(document)['Statement']))
    .map(object)
    .map((statement) => ({
      effect: string(statement['Effect']),
      sid: string(statement['Sid']),
      actions: [statement['Action'] ?? []].flat().map(string),
      resources: [statement['Resource'] ?? []].flat().map(string),
      condition: statement['Condition'] ?? null,
    }));
}

export function object(item: Json | undefined): Properties {
  if (typeof item === 'object' && item !== null && !Array.isArray(item)) return item;
  throw new Error(`not an object: ${JSON.stringify(item)}`);
}

function list(item: Json | undefined): Json[] {
  if (Array.isArray(item)) return item;
  throw new Error(`not a list: ${JSON.stringify(item)}`);
}

export function string(item: Json | undefined): string {
  if (typeof item === 'string') return item;
  throw new Error(`not a string: ${JSON.stringify(item)}`);
}

/** The one entry of an object such as {"Ref": …}; an empty name for any other object. */
function only(item: Properties): [name: string, value: Json] {
  const entries = Object.entries(item);
  return (entries.length === 1 ? entries[0] : undefined) ?? ['', null];
}

/** Names that CloudFormation would make up are left as logical ids. */
function reference(name: string): string {
  return PSEUDO[name] ?? name;
}
