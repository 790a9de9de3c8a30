import { InputError } from '../core/errors.ts';
import { type Field, isIgnored, isKnown, type OpenStackFields } from './openstack-fields.ts';
import { type Part, shellWords, type Word } from './shell-words.ts';

/** Why a value cannot be known without running the file, and what to write instead. */
const NEEDS = {
  shell: 'needs a shell; accepted: the value itself, in single quotes',
  terminal: 'is asked for at a terminal; accepted: the value itself, instead of the line with read',
  condition:
    'is set within if, case, a loop, a function or brackets, or after && or ||; accepted: a separate line',
  quotes: 'has text after its value; accepted: the whole value in quotes',
  bounds: 'is longer than a secret can be; accepted: the value itself',
};

/** The most that Secrets Manager holds. A file of few lines can double a value with each of them. */
const LONGEST = 65_536;

type Value = { readonly text: string } | { readonly needs: keyof typeof NEEDS };

/** Words that open a block, and the words that close it. */
const BLOCKS: ReadonlyMap<string, string> = new Map([
  ['if', 'fi'],
  ['case', 'esac'],
  ['for', 'done'],
  ['while', 'done'],
  ['until', 'done'],
  ['select', 'done'],
  ['{', '}'],
]);
/** Words that are not followed by a command. */
const HEADED = ['case', 'for', 'select'];
const PLAIN_ENDS = ['\n', ';', ';;', '&&', '||'];
const INNER = ['then', 'elif', 'else', 'do', '!'];
const DECLARING = ['export', 'declare', 'typeset', 'readonly'];

/** One simple command, and the operators before and after it. */
interface Command {
  readonly words: readonly Word[];
  readonly isConditional: boolean;
  readonly end: string;
}

/**
 * Reads the text of an openrc file: assignments to `OS_` variables, exported or not, with references to what the file
 * has set before. Other commands and other variables are ignored. An empty value counts as unset; Horizon's files unset
 * such variables themselves.
 *
 * @param typed the value of every variable that the file asks for at the terminal
 * @throws InputError naming a variable whose value is not in the file: asked for, set conditionally, from a command
 */
export function openrcFields(text: string, typed?: string): OpenStackFields {
  const { variables, references } = evaluate(text, typed);

  const fields: Field[] = [];
  for (const [writtenAs, value] of variables) {
    const name = writtenAs.slice('OS_'.length).toLowerCase();
    if (!/^OS_[A-Z0-9_]+$/.test(writtenAs) || isIgnored(name)) continue;
    const isHelp = references.has(writtenAs) || ('needs' in value && value.needs === 'terminal');
    if (isHelp && !isKnown(name)) continue;
    if ('needs' in value) throw new InputError(`secret: ${writtenAs}: ${NEEDS[value.needs]}`);
    if (value.text !== '') fields.push({ name, writtenAs, value: value.text });
  }
  return { fields, labelOf: (name) => `OS_${name.toUpperCase()}` };
}

/** Whether the file asks for a password at the terminal, as Horizon's does. */
export function asksForPassword(text: string): boolean {
  const password = evaluate(text, undefined).variables.get('OS_PASSWORD');
  return password !== undefined && 'needs' in password && password.needs === 'terminal';
}

interface Evaluated {
  readonly variables: Map<string, Value>;
  /** Variables that others refer to. */
  readonly references: Set<string>;
}

function evaluate(text: string, typed: string | undefined): Evaluated {
  const variables = new Map<string, Value>();
  const references = new Set<string>();
  let before: Command | undefined;
  for (const command of commands(text)) {
    const cut = before === undefined ? undefined : cutAtSemicolon(before, command);
    if (cut !== undefined) variables.set(cut, { needs: 'quotes' });
    run(command, { variables, references }, typed);
    before = command;
  }
  return { variables, references };
}

/** Commands that people write after the `;` of an assignment. */
const USUAL =
  /^(export|declare|typeset|readonly|unset|read|echo|printf|set|source|\.|true|:|test|\[\[?|return|exit|local)$/;

/**
 * The variable whose unquoted value a `;` has cut off: the words after it are the rest of the value and not a command.
 */
function cutAtSemicolon(before: Command, { words }: Command): string | undefined {
  const last = before.words.at(-1);
  const [next] = words;
  const isCommand = next?.name !== undefined || USUAL.test(next?.raw ?? '') || BLOCKS.has(next?.raw ?? '');
  if (before.end !== ';' || last?.name === undefined || /["']$/.test(last.raw) || isCommand) return undefined;
  return last.name;
}

function* commands(text: string): Generator<Command> {
  const open: string[] = [];
  let words: Word[] = [];
  let isChained = false;
  for (const token of [...shellWords(text), { operator: '\n' }]) {
    if ('operator' in token) {
      const { operator } = token;
      const isChain = ['&&', '||', '|'].includes(operator);
      if (words.length > 0) {
        yield { words, isConditional: isChained || open.length > 0, end: operator };
        isChained = isChain;
      }
      isChained ||= isChain;
      words = [];
      if (operator === '(') open.push(')');
      if (operator === ')' && open.at(-1) === ')') open.pop();
    } else if (words.length > 0) {
      words.push(token);
      if (token.raw === '{' && words[0]?.raw === 'function') open.push('}');
    } else if (token.raw === open.at(-1)) {
      open.pop();
    } else if (!INNER.includes(token.raw)) {
      const close = BLOCKS.get(token.raw);
      if (close !== undefined) open.push(close);
      if (close === undefined || HEADED.includes(token.raw)) words.push(token);
    }
  }
}

function run(
  { words, isConditional, end }: Command,
  { variables, references }: Evaluated,
  typed: string | undefined,
): void {
  const verbAt = words.findIndex(({ name }) => name === undefined);
  const before = verbAt < 0 ? words : words.slice(0, verbAt);
  const [verb, ...rest] = verbAt < 0 ? [] : words.slice(verbAt);

  if (verb === undefined) assign(before);
  // NAME=value command: either set for that command only, or a value with a blank and without quotes.
  else for (const { name = '' } of before) variables.set(name, { needs: 'quotes' });

  if (verb !== undefined && DECLARING.includes(verb.raw)) {
    const options = rest.filter(({ raw }) => /^-\w*$/.test(raw));
    if (!options.some(({ raw }) => /[fn]/.test(raw))) assign(rest.filter((word) => !options.includes(word)));
  } else if (verb?.raw === 'unset') {
    // Horizon's files unset a variable if it is empty.
    if (!isConditional) for (const { raw } of rest) variables.delete(raw);
  } else if (verb?.raw === 'read') {
    for (const { raw } of rest) {
      // The condition is most likely that there is no value yet.
      if (!isConditional || !variables.has(raw)) {
        variables.set(raw, typed === undefined ? { needs: 'terminal' } : { text: typed });
      }
    }
  }

  function assign(assignments: readonly Word[]): void {
    let last: string | undefined;
    for (const { name, raw, parts } of assignments) {
      if (name !== undefined) variables.set(name, valueOf(parts));
      // A known name alone declares an existing variable; other words are the rest of a value with a blank in it.
      else if (last !== undefined && !variables.has(raw)) variables.set(last, { needs: 'quotes' });
      last = name ?? last;
    }
    // More likely an & or | within an unquoted value than an operator.
    if (last !== undefined && !PLAIN_ENDS.includes(end)) variables.set(last, { needs: 'quotes' });
  }

  function valueOf(parts: readonly Part[]): Value {
    let text = '';
    for (const part of parts) {
      if (part === 'shell') return { needs: 'shell' };
      if ('text' in part) text += part.text;
      else {
        references.add(part.variable);
        const value = variables.get(part.variable) ?? { needs: 'shell' };
        if ('needs' in value) return value;
        text += value.text;
      }
      if (text.length > LONGEST) return { needs: 'bounds' };
    }
    return isConditional ? { needs: 'condition' } : { text };
  }
}
