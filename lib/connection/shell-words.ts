import { InputError } from '../core/errors.ts';

/** A piece of a word: literal text, another variable, or something that only a shell can evaluate. */
export type Part = { readonly text: string } | { readonly variable: string } | 'shell';

export interface Word {
  /** Of an assignment, `NAME=…`; its parts are the value's then. */
  readonly name?: string;
  /** As it is written, with its quotes. */
  readonly raw: string;
  readonly parts: readonly Part[];
}

/** `;`, a new line, `&&`, `(` and so on, redirections among them. */
export interface Operator {
  readonly operator: string;
}

const BLANK = /(?:[ \t]|\r(?=\n)|\\\r?\n)+/y;
const COMMENT = /#[^\n]*/y;
const OPERATOR = /\n|;;?|&&|\|\|?|[<>]&|&>>?|&|<<<|<<|>>|[<>()]/y;
const ASSIGNMENT = /([A-Za-z_]\w*)(\+?)=/y;
const CONTINUATION = /\\\r?\n/y;
const SINGLE_QUOTED = /'([^']*)'/y;
const SIMPLE = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/y;
const PLAIN = /(?:[^ \t\r\n\\'"$`;&|<>()]|\r(?!\n))+/y;
const PLAIN_IN_QUOTES = /[^\\"$`]+/y;

/**
 * Splits a shell script into words by POSIX's rules for quotes, backslashes, comments and operators. It runs nothing;
 * what only a shell can evaluate becomes a part of that kind.
 *
 * @throws InputError where a quote or bracket is not closed, or a here-document begins; by `OS_` variable or by line
 */
export function* shellWords(text: string): Generator<Word | Operator> {
  let at = 0;
  let begin = 0;

  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  const refuse = (accepted: string): never => {
    // A name may be a value in the wrong place, unless it has the form of OpenStack's names.
    const name = /^OS_[A-Z_]+(?==)/.exec(text.slice(begin, begin + 64))?.[0];
    const line = text.slice(0, begin).split('\n').length;
    throw new InputError(`secret: ${name ?? `line ${line}`}: accepted: ${accepted}`);
  };
  /** Moves past the next `end` that has no backslash before it. */
  const goBehind = (end: string, escapes = end !== "'"): void => {
    while (at < text.length && text[at] !== end) at += text[at] === '\\' && escapes ? 2 : 1;
    at += 1;
    if (at > text.length) refuse(`every ${end} closed by another`);
  };

  /** `(…)` or `{…}` of an expansion, with everything nested in it. */
  const goBehindBracket = (): void => {
    const open: string[] = [];
    do {
      const next = text[at] ?? refuse('every bracket closed');
      at += next === '\\' ? 2 : 1;
      if (next === '(') open.push(')');
      else if (next === '{') open.push('}');
      else if (next === open.at(-1)) open.pop();
      else if (next === "'" || next === '"' || next === '`') goBehind(next);
    } while (open.length > 0);
  };
  /** An expansion, which begins with `$` or a backtick. */
  const expansion = (isQuoted: boolean): Part => {
    const simple = take(SIMPLE);
    if (simple !== null) {
      const isWhole = simple[2] !== undefined || take(CONTINUATION) === null;
      return isWhole ? { variable: simple[1] ?? simple[2] ?? '' } : 'shell';
    }
    at += 1;
    if (text[at - 1] === '`') {
      goBehind('`');
      return 'shell';
    }
    if (take(CONTINUATION) !== null) return 'shell';
    const next = text[at] ?? '';
    if (next === '(' || next === '{') {
      goBehindBracket();
      return 'shell';
    }
    if (next === "'" && !isQuoted) {
      // $'…' has its own escapes. $"…" is read like plain quotes.
      at += 1;
      goBehind("'", true);
      return 'shell';
    }
    // $$, $1, $? and similar variables belong to the running shell.
    return (isQuoted ? /[\w$?!*@#-]/ : /["\w$?!*@#-]/).test(next) ? 'shell' : { text: '$' };
  };
  const doubleQuoted = function* (): Generator<Part> {
    at += 1;
    while (text[at] !== '"') {
      if (at >= text.length) refuse('every " closed by another');
      const plain = take(PLAIN_IN_QUOTES);
      if (plain !== null) yield { text: plain[0] };
      else if (text[at] !== '\\') yield expansion(true);
      else if (take(CONTINUATION) === null) {
        const next = text[at + 1] ?? '';
        yield { text: /[$`"\\]/.test(next) ? next : `\\${next}` };
        at += 2;
      }
    }
    at += 1;
  };

  const word = (): Word => {
    const [, name, append] = take(ASSIGNMENT) ?? [];
    const parts: Part[] = append === '+' ? ['shell'] : [];
    for (;;) {
      const plain = take(PLAIN) ?? take(SINGLE_QUOTED);
      const next = text[at];
      if (plain !== null) {
        // An unquoted ~ means a home directory at the beginning of a value and after a colon.
        const isHome = plain[1] === undefined && name !== undefined && /(^|:)~/.test(plain[0]);
        parts.push(isHome ? 'shell' : { text: plain[1] ?? plain[0] });
      } else if (next === "'") refuse("every ' closed by another");
      else if (next === '"') for (const part of doubleQuoted()) parts.push(part);
      else if (next === '$' || next === '`') parts.push(expansion(false));
      else if (next !== '\\') break;
      else if (take(CONTINUATION) === null) {
        parts.push({ text: text[at + 1] ?? '' });
        at += 2;
      }
    }
    return { ...(name === undefined ? {} : { name }), raw: text.slice(begin, at), parts };
  };

  while (at < text.length) {
    if (take(BLANK) !== null || take(COMMENT) !== null) continue;
    begin = at;
    const operator = take(OPERATOR)?.[0];
    if (operator === '<<') refuse('no here-document, OS_… variables on lines of their own');
    yield operator === undefined ? word() : { operator };
  }
}
