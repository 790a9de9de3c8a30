export type Verdict = 'fine' | 'lacking' | 'fatal';

/** The result of one check, and what it means for a trace. */
export interface Finding {
  /** What was checked, in a word or three: `connection`, `TLS`, `table shadow_instances`. */
  readonly check: string;
  /** Which cell (`cell1`) or part, where there are several. */
  readonly of?: string;
  /** `fine`; `lacking`: a trace can be made, but lacks or costs something; `fatal`: no trace can be made. */
  readonly verdict: Verdict;
  /** What was found, in one line; never a credential. */
  readonly found: string;
  /** What it would cost the trace; for every status but `fine`. */
  readonly cost?: string;
  /** The remedy; for `fine`, a possible improvement. */
  readonly remedy?: string;
}

/** Makes findings about one part. */
export interface Teller {
  fine(check: string, found: string, remedy?: string): Finding;
  lacking(check: string, found: string, cost: string, remedy?: string): Finding;
  fatal(check: string, found: string, cost: string, remedy?: string): Finding;
}

export function teller(of?: string): Teller {
  const tell = (verdict: Verdict, check: string, found: string, cost?: string, remedy?: string): Finding => ({
    check,
    ...(of === undefined ? {} : { of }),
    verdict,
    found,
    ...(cost === undefined ? {} : { cost }),
    ...(remedy === undefined ? {} : { remedy }),
  });
  return {
    fine: (check, found, remedy) => tell('fine', check, found, undefined, remedy),
    lacking: (check, found, cost, remedy) => tell('lacking', check, found, cost, remedy),
    fatal: (check, found, cost, remedy) => tell('fatal', check, found, cost, remedy),
  };
}

/** The overall result: that of the worst finding. */
export function verdictOf(findings: Iterable<Finding>): Verdict {
  const verdicts = new Set(Array.from(findings, ({ verdict }) => verdict));
  return verdicts.has('fatal') ? 'fatal' : verdicts.has('lacking') ? 'lacking' : 'fine';
}
