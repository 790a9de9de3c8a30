import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Finding, formatFinding, formatVerdict, verdictOf } from '../../../lib/doctor/doctor.ts';
import { teller } from '../../../lib/doctor/finding.ts';

const cell = teller('cell1');
const fine = cell.fine('login', 'accepted');
const lacking = cell.lacking('TLS', 'off', 'secrecy', 'turn it on');
const fatal = teller().fatal('token', 'refused', 'no trace can be made');

test.each<[Finding[], string]>([
  [[], 'fine'],
  [[fine, fine], 'fine'],
  [[fine, lacking, fine], 'lacking'],
  [[fatal, lacking, fine], 'fatal'],
])('the verdict of %j is %s', (findings, verdict) => {
  expect(verdictOf(findings)).toBe(verdict);
});

describe('as lines', () => {
  test('a finding has a mark, and what it costs and what to do below', () => {
    expect(formatFinding(lacking)).toBe(
      `! cell1   TLS${' '.repeat(35)}off\n    cost:   secrecy\n    remedy: turn it on`,
    );
    expect(formatFinding(fatal)).toBe('✗ token               refused\n    cost:   no trace can be made');
  });

  test('findings of cells stand below each other, whatever was checked', () => {
    const longest = cell.fine('table shadow_instance_actions_events', 'accepted');
    expect(formatFinding(fine).indexOf('accepted')).toBe(formatFinding(longest).indexOf('accepted'));
  });

  test('the last line counts, and says what follows', () => {
    expect(formatVerdict([fine, lacking])).toMatch(
      /^! 2 checks: 1 fine, 1 lacking, 0 fatal\. A trace can be made;/,
    );
    expect(formatVerdict([fatal])).toMatch(/^✗ 1 check: 0 fine, 0 lacking, 1 fatal\. No trace can be made/);
    expect(formatVerdict([fine])).toMatch(/^✓ 1 check: 1 fine/);
  });

  test('colours are in the marks alone, and only where asked for', () => {
    const coloured = formatFinding(lacking, { colour: true });
    expect(coloured).not.toBe(formatFinding(lacking));
    expect(stripVTControlCharacters(coloured)).toBe(formatFinding(lacking));
    expect(stripVTControlCharacters(formatVerdict([fatal], { colour: true }))).toBe(formatVerdict([fatal]));
  });
});
