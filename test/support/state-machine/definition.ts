import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** A state, as far as tests look into one. */
export interface State {
  Type: string;
  Resource?: string;
  ItemProcessor?: Definition;
  Catch?: object[];
  [field: string]: unknown;
}

export interface Definition {
  StartAt: string;
  States: Record<string, State>;
  [field: string]: unknown;
}

const FILE = new URL('../../../serverless/backfill.asl.yml', import.meta.url);

/** The definition of the state machine, with `${…}` in the place of its functions' ARNs; a new one for every caller. */
export function readDefinition(): Definition {
  // Through JSON, so that no two states share what is written once in the file.
  return JSON.parse(JSON.stringify(parse(readFileSync(FILE, 'utf8')))) as Definition;
}

export type FunctionName = 'plan' | 'windows' | 'end';

/** What stands for the functions; the name of the state that calls comes second. */
export type Functions = Readonly<Record<FunctionName, (event: unknown, state: string) => unknown>>;

/** As CloudFormation puts them in the place of `${PlanFunction}` and so on. */
const ARNS: Readonly<Record<string, string>> = {
  PlanFunction: 'arn:aws:lambda:us-east-1:123456789012:function:star-compactor-test-backfillPlan',
  WindowsFunction: 'arn:aws:lambda:us-east-1:123456789012:function:star-compactor-test-backfillWindows',
  EndFunction: 'arn:aws:lambda:us-east-1:123456789012:function:star-compactor-test-backfillEnd',
};

/** The definition as it is deployed. */
export function deployedDefinition(): Definition {
  const text = JSON.stringify(readDefinition()).replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const arn = ARNS[name];
    if (arn === undefined) throw new Error(`no function stands for \${${name}}`);
    return arn;
  });
  return JSON.parse(text) as Definition;
}

/** The function that a task calls. */
export function functionOf({ Resource = '' }: State): FunctionName {
  const [name] = /(?<=backfill)(Plan|Windows|End)$/.exec(Resource) ?? [];
  if (name === undefined) throw new Error(`not a function of the backfill: ${Resource}`);
  return name.toLowerCase() as FunctionName;
}

/** Every state with its name, those inside of maps too. */
export function* allStates(definition: Definition): Generator<[name: string, state: State]> {
  for (const entry of Object.entries(definition.States)) {
    yield entry;
    const { ItemProcessor } = entry[1];
    if (ItemProcessor !== undefined) yield* allStates(ItemProcessor);
  }
}
