import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MASKING_METHODS } from '../../../lib/config/choices.ts';
import { csv } from '../../../lib/format/csv.ts';
import { jsonLines } from '../../../lib/format/json-lines.ts';
import { parquet } from '../../../lib/format/parquet.ts';
import { TABLES } from '../../../lib/tables/registry.ts';
import type { MaskedEvent, TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import type { AnyTable, Column, Masked, Table } from '../../../lib/tables/table.ts';
import { machines } from '../../../lib/tables/machines/table.ts';
import { checkMasks } from '../../../lib/transform/checked-masks.ts';
import { createMask } from '../../../lib/transform/mask.ts';
import { openTransform } from '../../../lib/transform/transform.ts';
import { traceEvent } from '../../support/records.ts';

const SETTINGS = {
  hostFrom: 'event',
  excludeUsers: new Set<string>(),
  excludeProjects: new Set<string>(),
} as const;
const FORMATS = [csv('0.2'), csv('0.3'), jsonLines, parquet];
/** The third looks like a mask, as ids of Keystone do. */
const RAW = ['null', 'active', '1', 'web-1', '0123456789abcdef0123456789abcdef'];
const salted = createMask('sha2-salted', randomBytes(32));

/** Encodes rows in one format as a drop does. */
function encode(
  format: (typeof FORMATS)[number],
  table: AnyTable,
  rows: readonly unknown[],
  mask = salted,
): void {
  const transform = openTransform(table, SETTINGS, mask);
  const encoder = format.encoder({ name: table.name, columns: transform.columns }, 0);
  encoder.rows(transform.apply(rows));
  encoder.tail();
}

const columnsOf = TABLES.flatMap((table) =>
  table.columns.filter(({ masked }) => masked).map((column) => [table.name, column.csv, table] as const),
);

describe('A masked column', () => {
  test.each(columnsOf)(
    'of %s, %s, is refused in every format where it holds a raw value',
    (name, broken, table) => {
      for (const raw of RAW) {
        const valueOf = (column: Column<unknown>): Column<unknown>['value'] => {
          if (column.csv === broken) return () => raw;
          return () => (column.type === 'string' ? null : 0);
        };
        const columns = table.columns.map((column) => ({
          ...column,
          part: { of: () => ({}), kind: 'object' as const },
          value: valueOf(column),
        }));
        const { owner: _owner, ...rest } = table;
        const mutant: AnyTable = { ...rest, columns, masked: () => () => ({}) };
        for (const format of FORMATS)
          expect(() => encode(format, mutant, [{}])).toThrow(
            `${name}: ${broken}: got a value that is not a mask`,
          );
      }
    },
  );

  test.each(['uuid', 'hostname', 'userId', 'projectId', 'host'] as const)(
    'is refused in every format where the table forgets to mask %s',
    (field) => {
      const forgetful: Table<TraceEvent, MaskedEvent> = {
        ...instanceEvents,
        masked(masker) {
          const toMasked = instanceEvents.masked(masker);
          return (event) => {
            const row = toMasked(event);
            if (field === 'host') return { ...row, host: event.host as Masked };
            return { ...row, instance: { ...row.instance, [field]: event.instance[field] } };
          };
        },
      };
      for (const raw of RAW) {
        const event = traceEvent({ host: raw }, field === 'host' ? {} : { [field]: raw });
        for (const format of FORMATS)
          expect(() => encode(format, forgetful as AnyTable, [event])).toThrow('is not a mask');
      }
    },
  );

  test('passes with masks of every method, nothing and empty values, whatever the names are', () => {
    for (const method of MASKING_METHODS) {
      const mask = createMask(method, randomBytes(32));
      for (const raw of [...RAW, null, '']) {
        const event = traceEvent({ host: raw }, { hostname: raw, userId: raw, projectId: raw });
        for (const format of FORMATS)
          expect(() => encode(format, instanceEvents as AnyTable, [event, event], mask)).not.toThrow();
      }
    }
  });

  test('is refused with a mask of another secret', () => {
    const other = createMask('sha2-salted', randomBytes(32));
    const table = {
      ...instanceEvents,
      masked: () =>
        instanceEvents.masked({
          mask: other,
          maskSubject: other,
          maskShared: other,
          maskRack: other,
          hostOf: () => null,
          timeOf: (time) => time,
          planOf: (time) => time,
          rackOf: () => null,
        }),
    };
    expect(() => encode(jsonLines, table as unknown as AnyTable, [traceEvent()])).toThrow('INSTANCE_UUID');
  });

  test('holds the rank of a rack in RACK alone', () => {
    const checked = checkMasks(salted, [salted('r1')]);
    expect(checked.maskRack('r1')).toBe('0');
    const [rack, host] = checked.columns(
      'machines',
      ['RACK', 'HOST_NAME (PHYSICAL)'].map((name): Column<unknown> => {
        const part = { of: () => null, kind: 'text' as const };
        return {
          ...(machines.columns[0] as Column<unknown>),
          csv: name,
          masked: true,
          part,
          value: () => '0',
        };
      }),
    );
    expect(rack?.value(null as never, 0)).toBe('0');
    expect(() => host?.value(null as never, 0)).toThrow(
      'HOST_NAME (PHYSICAL): got a value that is not a mask',
    );
  });
});
