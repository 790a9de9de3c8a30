import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TraceVersion } from '../../../lib/config/choices.ts';
import { csv } from '../../../lib/format/csv.ts';
import { jsonLines } from '../../../lib/format/json-lines.ts';
import { COLUMNS } from '../../../lib/tables/instance-events/columns.ts';
import type { TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import { parseInstant } from '../../../lib/core/time.ts';
import { unmasked } from '../../support/masked.ts';
import { traceEvent } from '../../support/records.ts';

const epoch = parseInstant('2015-09-06T23:31:16Z') ?? 0;

const encode = (
  name: 'csv' | 'jsonl',
  events: TraceEvent[],
  from = epoch,
  version: TraceVersion = '0.2',
): string => {
  const encoder = (name === 'csv' ? csv(version) : jsonLines).encoder(instanceEvents, from);
  return [encoder.head, encoder.rows(unmasked(events)), encoder.tail()].join('');
};

describe('CSV 0.2', () => {
  test('has the published header and one line an event', () => {
    expect(encode('csv', [traceEvent()])).toBe(
      'INSTANCE_UUID,EVENT,START_TIME,START_SEC,FINISH_TIME,FINISH_SEC,EVENT_DURATION,RESULT,MEMORY_MB,DISK_GB,' +
        'VCPUS,INSTANCE_NAME,USER_ID,PROJECT_ID,HOST_NAME (PHYSICAL)\n' +
        '8f2c5f0e-6b0e-4a57-9d8e-3a1d9c2b7e10,compute_stop_instance,2026-11-22T08:15:00,353753024,' +
        '2026-11-22T08:15:05,353753029,5,Success,2048,20,2,web-1,user-1,project-1,cmp-1\n',
    );
  });

  test('leaves empty what is not known', () => {
    const [, line] = encode('csv', [
      traceEvent({ event: null, result: null, host: null }, { hostname: null, host: null, memoryMb: null }),
    ]).split('\n');
    expect(line).toMatch(
      /^[^,]+,,2026-11-22T08:15:00,\d+,2026-11-22T08:15:05,\d+,5,,,20,2,,user-1,project-1,$/,
    );
  });

  test('has -1 for what came before the epoch', () => {
    const { start, finish } = traceEvent();
    const [row] = parse(encode('csv', [traceEvent()], start + 1), { columns: true }) as Record<
      string,
      string
    >[];
    expect(row).toMatchObject({
      START_SEC: '-1',
      FINISH_SEC: String(finish - start - 1),
      EVENT_DURATION: '5',
    });
  });

  test('quotes any value as csv-stringify does, and reads back the same', () => {
    const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 12 }).map((s) => s.replaceAll('\0', '')));
    const awkward = fc.constantFrom(
      'a,b',
      'say "x"',
      'two\nlines',
      'cr\rlf\r\n',
      '=1+2',
      ' lead',
      '',
      null,
      "');--",
    );
    const value = fc.oneof(text, awkward);
    fc.assert(
      fc.property(value, value, value, value, (hostname, userId, event, result) => {
        const given = traceEvent({ event, result }, { hostname, userId });
        const written = encode('csv', [given]);
        const [row] = parse(written, { columns: true, record_delimiter: '\n' }) as Record<string, string>[];
        expect(row).toMatchObject({
          INSTANCE_NAME: hostname ?? '',
          USER_ID: userId ?? '',
          EVENT: event ?? '',
          RESULT: result ?? '',
        });
        const plain = parse(written, { from: 2, record_delimiter: '\n' });
        expect(written.slice(written.indexOf('\n') + 1)).toBe(stringify(plain, { quoted_match: /[\r\n]/ }));
      }),
    );
  });
});

describe('CSV 0.3', () => {
  const read = (text: string): Record<string, string>[] => parse(text, { columns: true });

  test('has the sizes in a last column, as JSON in a fixed order of keys', () => {
    expect(encode('csv', [traceEvent()], epoch, '0.3')).toBe(
      'INSTANCE_UUID,EVENT,START_TIME,START_SEC,FINISH_TIME,FINISH_SEC,EVENT_DURATION,RESULT,INSTANCE_NAME,USER_ID,' +
        'PROJECT_ID,HOST_NAME (PHYSICAL),PROPERTIES\n' +
        '8f2c5f0e-6b0e-4a57-9d8e-3a1d9c2b7e10,compute_stop_instance,2026-11-22T08:15:00,353753024,' +
        '2026-11-22T08:15:05,353753029,5,Success,web-1,user-1,project-1,cmp-1,' +
        '"{""memory_mb"": 2048, ""root_gb"": 20, ""vcpus"": 2}"\n',
    );
  });

  test('has null for a size that is not known, and all that 0.2 has otherwise', () => {
    const events = [
      traceEvent({}, { memoryMb: null }),
      traceEvent({ result: null }, { hostname: 'a "b", c' }),
    ];
    const [first, second] = read(encode('csv', events, epoch, '0.3'));
    expect(JSON.parse(first?.['PROPERTIES'] ?? '')).toEqual({ memory_mb: null, root_gb: 20, vcpus: 2 });
    const [, plain = {}] = read(encode('csv', events));
    const { PROPERTIES = '', ...rest } = second ?? {};
    const { MEMORY_MB, DISK_GB, VCPUS, ...others } = plain;
    expect(rest).toEqual(others);
    expect(Object.values(JSON.parse(PROPERTIES) as object).map(String)).toEqual([MEMORY_MB, DISK_GB, VCPUS]);
  });
});

describe('JSON lines', () => {
  test('have the fields in order, times with Z, and null for what is not known', () => {
    const text = encode('jsonl', [traceEvent({ result: null }, { hostname: null, rootGb: null })]);
    expect(text).toBe(
      '{"uuid":"8f2c5f0e-6b0e-4a57-9d8e-3a1d9c2b7e10","event":"compute_stop_instance",' +
        '"start_time":"2026-11-22T08:15:00Z","startSec":353753024,"finish_time":"2026-11-22T08:15:05Z",' +
        '"finishSec":353753029,"duration":5,"result":null,"memory_mb":2048,"root_gb":null,"vcpus":2,' +
        '"hostname":null,"user_id":"user-1","project_id":"project-1","host":"cmp-1"}\n',
    );
    expect(Object.keys(JSON.parse(text) as object)).toEqual(COLUMNS.map(({ jsonl }) => jsonl));
  });

  test('survive any value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (hostname) => {
        const line = encode('jsonl', [traceEvent({}, { hostname })]);
        expect(line.endsWith('\n')).toBe(true);
        expect(JSON.parse(line)).toMatchObject({ hostname });
      }),
    );
  });
});
