import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetMetadata } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parquet } from '../../../lib/format/parquet.ts';
import { COLUMNS } from '../../../lib/tables/instance-events/columns.ts';
import type { TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import { unmasked } from '../../support/masked.ts';
import { traceEvent } from '../../support/records.ts';

const { start } = traceEvent();

/** A file of batches as a source gives them. */
function encode(
  batches: readonly (readonly TraceEvent[])[],
  epoch = 0,
  about: Record<string, string> = {},
): Buffer {
  const encoder = parquet.encoder(instanceEvents, epoch, about);
  const pieces = [encoder.head, ...batches.map((batch) => encoder.rows(unmasked(batch))), encoder.tail()];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

let folder: string;
let duckdb: DuckDBInstance;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-parquet-'));
  duckdb = await DuckDBInstance.create();
});
afterAll(async () => {
  duckdb.closeSync();
  await rm(folder, { recursive: true });
});

async function ask(file: Buffer, sql: string): Promise<Record<string, unknown>[]> {
  const path = join(folder, 'trace.parquet');
  await writeFile(path, file);
  const connection = await duckdb.connect();
  const result = await connection.runAndReadAll(sql.replace('FILE', `'${path}'`));
  connection.closeSync();
  return result.getRowObjectsJson();
}

describe('Parquet, read by DuckDB', () => {
  test('has every column by its name and with its type', async () => {
    const types = {
      string: 'VARCHAR',
      integer: 'BIGINT',
      timestamp: 'TIMESTAMP WITH TIME ZONE',
      boolean: 'BOOLEAN',
    };
    const described = await ask(encode([[traceEvent()]]), 'DESCRIBE SELECT * FROM FILE');
    expect(described.map((column) => [column['column_name'], column['column_type']])).toEqual(
      COLUMNS.map(({ parquet: name, type }) => [name, types[type]]),
    );
  });

  test('says what it is in its metadata', async () => {
    const about = { cloud: 'prod', licence: 'CC-BY-4.0' };
    const found = await ask(
      encode([[traceEvent()]], 0, about),
      'SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(FILE) ORDER BY key',
    );
    expect(found).toEqual(Object.entries(about).map(([key, value]) => ({ key, value })));
  });

  test('has the values, and null for what is not known', async () => {
    const bare = traceEvent(
      { event: null, result: null, host: null, start: start + 60, finish: start + 90 },
      {
        hostname: null,
        userId: null,
        projectId: null,
        host: null,
        memoryMb: null,
        rootGb: null,
        vcpus: null,
      },
    );
    const rows = await ask(
      encode([[traceEvent({}, { hostname: 'wéb "1", 🚀' })], [], [bare]], start + 30),
      'SELECT * REPLACE (epoch(start_time)::BIGINT AS start_time, epoch(finish_time)::BIGINT AS finish_time) FROM FILE',
    );
    const { uuid } = traceEvent().instance;
    expect(rows).toEqual([
      {
        instance_uuid: uuid,
        event: 'compute_stop_instance',
        start_time: String(start),
        start_sec: '-1',
        finish_time: String(start + 5),
        finish_sec: '-1',
        event_duration: '5',
        result: 'Success',
        memory_mb: '2048',
        disk_gb: '20',
        vcpus: '2',
        instance_name: 'wéb "1", 🚀',
        user_id: 'user-1',
        project_id: 'project-1',
        host_name: 'cmp-1',
      },
      {
        instance_uuid: uuid,
        event: null,
        start_time: String(start + 60),
        start_sec: '30',
        finish_time: String(start + 90),
        finish_sec: '60',
        event_duration: '30',
        result: null,
        memory_mb: null,
        disk_gb: null,
        vcpus: null,
        instance_name: null,
        user_id: null,
        project_id: null,
        host_name: null,
      },
    ]);
  });

  test('has no rows where nothing happened', async () => {
    expect(await ask(encode([]), 'SELECT count(*) AS rows FROM FILE')).toEqual([{ rows: '0' }]);
  });

  test('has row groups whose least and greatest start times let a reader pass them over', async () => {
    const batches = Array.from({ length: 7 }, (_group, nth) =>
      Array.from({ length: 10_000 }, (_row, at) => {
        const time = start + nth * 10_000 + at;
        return traceEvent({ start: time, finish: time });
      }),
    );
    const file = encode(batches);
    const groups = parquetMetadata(new Uint8Array(file).buffer).row_groups;
    expect(groups.map(({ num_rows }) => num_rows)).toEqual(Array.from({ length: 7 }, () => 10_000n));
    const bounds = groups.map(({ columns }) => {
      const { min_value, max_value } = columns[2]?.meta_data?.statistics ?? {};
      return [min_value, max_value].map((time) => Number(time) / 1000 - start);
    });
    expect(bounds).toEqual(bounds.map((_group, nth) => [nth * 10_000, nth * 10_000 + 9999]));
    const [found] = await ask(
      file,
      `SELECT count(*) AS rows FROM FILE WHERE start_time >= to_timestamp(${start + 69_000})`,
    );
    expect(found).toEqual({ rows: '1000' });
  });
});
