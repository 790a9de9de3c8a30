import { randomBytes, randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csv } from '../../../lib/format/csv.ts';
import { jsonLines } from '../../../lib/format/json-lines.ts';
import { type LeakScan, openLeakScan } from '../../../lib/privacy/leak-scan.ts';
import { fingerprintTokens } from '../../../lib/privacy/tokens.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import { createMask } from '../../../lib/transform/mask.ts';
import { maskEvents, unmasked } from '../../support/masked.ts';
import { traceEvent } from '../../support/records.ts';

const found = (scan: LeakScan): number => scan.figures().found;

describe('The scan for raw identifiers', () => {
  test('finds one in the output, whichever of the two is told first', () => {
    const [before, behind] = [openLeakScan(), openLeakScan()];
    const uuid = randomUUID();
    before.identifier(uuid);
    before.output(`a,${uuid},b\n`);
    behind.output(`a,${uuid},b\n`);
    behind.identifier(uuid);
    expect([found(before), found(behind)]).toEqual([1, 1]);
  });

  test('finds a value of any text in CSV and in JSON lines, if it has a letter or the like', () => {
    const text = fc
      .oneof(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
        fc.constantFrom('my "host", 1', 'grüße-東京', '🚀', "o'brien@example"),
      )
      .filter((value) => /[^\d\s\p{P}\p{S}\p{C}]|🚀/u.test(value));
    fc.assert(
      fc.property(text, fc.constantFrom(csv('0.2'), csv('0.3'), jsonLines), (hostname, format) => {
        const scan = openLeakScan();
        const encoder = format.encoder(instanceEvents, 0);
        scan.publicText(String(encoder.head));
        scan.identifier(hostname);
        scan.output(
          String(encoder.rows(unmasked([traceEvent({ event: null, result: null }, { hostname })]))),
        );
        const { found: leaks, ambiguous } = scan.figures();
        expect(leaks + ambiguous).toBeGreaterThan(0);
      }),
    );
  });

  test('sees by the texts that rows are joined from every token that the file has, and no other', () => {
    const value = fc.option(
      fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constant('a-b,"c"\nd')),
    );
    const time = fc.integer({ min: 0, max: 4_000_000_000 });
    const event = fc
      .record({
        event: value,
        result: value,
        host: value,
        userId: value,
        hostname: value,
        start: time,
        finish: time,
      })
      .map(({ userId, hostname, ...row }) => traceEvent(row, { uuid: randomUUID(), userId, hostname }));
    const tokensOf = (texts: readonly string[]): Set<number> => {
      const tokens = new Set<number>();
      for (const text of texts) fingerprintTokens(text, (token) => tokens.add(token));
      return tokens;
    };
    const formats = fc.constantFrom(csv('0.2'), csv('0.3'), jsonLines);
    fc.assert(
      fc.property(fc.array(event, { minLength: 1 }), formats, (events, format) => {
        const told: string[] = [];
        const encoder = format.encoder(instanceEvents, 1_000_000_000, (text) => told.push(text));
        const file = [encoder.head, encoder.rows(unmasked(events)), encoder.tail()].join('');
        expect(tokensOf(told)).toEqual(tokensOf([file]));
      }),
    );
  });

  test('finds nothing where everything is masked', () => {
    const scan = openLeakScan();
    const masked = maskEvents(createMask('sha2-salted', randomBytes(32)));
    const encoder = csv('0.2').encoder(instanceEvents, 0);
    for (let nth = 0; nth < 1000; nth++) {
      const own = { uuid: randomUUID(), hostname: `web-${nth}`, userId: randomBytes(16).toString('hex') };
      const event = traceEvent({}, own);
      for (const value of [...Object.values(own), event.instance.projectId, event.instance.host]) {
        scan.identifier(value);
      }
      scan.publicText(`${event.event} ${event.result}`);
      scan.output(String(encoder.rows(masked([event]))));
    }
    const { values, tokens, ...rest } = scan.figures();
    expect(rest).toEqual({ found: 0, ambiguous: 0 });
    expect(values).toBe(3002);
    expect(tokens).toBeGreaterThan(3000);
  });

  test('counts a value that is a word of every trace as ambiguous, and passes over numbers', () => {
    const scan = openLeakScan();
    scan.publicText('Success');
    for (const value of ['Success', '1001', '', null]) scan.identifier(value);
    scan.output('x,Success,1001\n');
    expect(scan.figures()).toMatchObject({ found: 0, ambiguous: 1, values: 1 });
  });
});
