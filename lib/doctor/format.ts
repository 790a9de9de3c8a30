import { styleText } from 'node:util';
import { counted } from './amounts.ts';
import { type Finding, type Verdict, verdictOf } from './finding.ts';

export interface FormatOptions {
  /** Marks in colour, for a terminal. */
  readonly colour?: boolean;
}

const MARKS = {
  fine: ['✓', 'green'],
  lacking: ['!', 'yellow'],
  fatal: ['✗', 'red'],
} as const satisfies Record<Verdict, readonly [mark: string, colour: string]>;

/** The longest check of a cell is `table shadow_instance_actions_events`; over the API none has a part. */
const WIDTH = { part: 6, ofPart: 36, alone: 18 };

/** One finding as lines without a last line break; what it costs and what to do follow, indented. */
export function formatFinding(finding: Finding, { colour = false }: FormatOptions = {}): string {
  const { check, of, verdict, found, cost, remedy } = finding;
  const name =
    of === undefined ? check.padEnd(WIDTH.alone) : `${of.padEnd(WIDTH.part)}  ${check.padEnd(WIDTH.ofPart)}`;
  return [
    `${mark(verdict, colour)} ${name}  ${found}`,
    ...(cost === undefined ? [] : [`    cost:   ${cost}`]),
    ...(remedy === undefined ? [] : [`    ${verdict === 'fine' ? 'note:  ' : 'remedy:'} ${remedy}`]),
  ].join('\n');
}

const MEANING = {
  fine: 'A trace can be made.',
  lacking: 'A trace can be made; see "!" above for what it lacks or costs.',
  fatal: 'No trace can be made until everything marked "✗" above is fixed.',
} as const satisfies Record<Verdict, string>;

/** The last line: the number of checks by result, and the conclusion. */
export function formatVerdict(findings: readonly Finding[], { colour = false }: FormatOptions = {}): string {
  const verdict = verdictOf(findings);
  const counts = (['fine', 'lacking', 'fatal'] as const).map((kind) => {
    const count = findings.filter((finding) => finding.verdict === kind).length;
    return `${count} ${kind}`;
  });
  return `${mark(verdict, colour)} ${counted(findings.length, 'check')}: ${counts.join(', ')}. ${MEANING[verdict]}`;
}

function mark(verdict: Verdict, colour: boolean): string {
  const [sign, name] = MARKS[verdict];
  return colour ? styleText(name, sign, { validateStream: false }) : sign;
}
