import { expect } from 'vitest';
import { parseSecret } from '../../../lib/connection/secret.ts';
import { type Finding, examine, formatFinding, formatVerdict } from '../../../lib/doctor/doctor.ts';

export const SETTLE_SECONDS = 1800;

/** What a doctor finds, none of which holds any of `hidden`, neither as data nor as it is printed. */
export async function examined(secret: string, hidden: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const options = { signal: new AbortController().signal, settleSeconds: SETTLE_SECONDS };
  for await (const finding of examine(await parseSecret(secret), options)) findings.push(finding);
  const all = [
    JSON.stringify(findings),
    ...findings.map((one) => formatFinding(one)),
    formatVerdict(findings),
  ];
  for (const text of hidden) {
    expect(text.length).toBeGreaterThan(5);
    expect(all.join('\n')).not.toContain(text);
  }
  for (const { verdict, found, cost } of findings) {
    expect(cost !== undefined).toBe(verdict !== 'fine');
    expect(found).not.toMatch(/\n|undefined|NaN|\[object/);
  }
  return findings;
}

/** The checks that are not fine, as `verdict: part: check`. */
export function troubles(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ verdict }) => verdict !== 'fine')
    .map(({ verdict, of, check }) => [verdict, ...(of === undefined ? [] : [of]), check].join(': '));
}

/** The only finding of that check; of that part, where it is said. */
export function only(findings: readonly Finding[], check: string, of?: string): Finding {
  const found = findings.filter((one) => one.check === check && (of === undefined || one.of === of));
  expect(found, `${check} in ${JSON.stringify(findings)}`).toHaveLength(1);
  return found[0]!;
}
