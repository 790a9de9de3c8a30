import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COLUMNS } from '../../lib/tables/instance-events/columns.ts';
import { TABLES as ALL_TABLES } from '../../lib/tables/registry.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { hostsOf } from '../support/nova/hosts.ts';
import { upsert } from '../support/nova/rows.ts';
import { loadSample, shiftByYear } from '../support/nova/sample.ts';
import type { Cell } from '../support/nova/schema.ts';
import { BUCKET, type Stage, startStage } from '../support/stage.ts';
import { blocksOf } from './documentation.ts';

/** Those of Nova; leases need a Blazar. */
const TABLES = ALL_TABLES.filter(({ name }) => !name.startsWith('lease'));

/*
 * What the documentation tells analysts to do, done: on drops of a real Nova's day in all formats, as they lie in the bucket.
 */

/** Debian's pandas is for the system's Python; another Python may come first on the path. */
const PYTHON = ['/usr/bin/python3', 'python3'].find(
  (python) => spawnSync(python, ['-c', 'import pandas']).status === 0,
);

/** Without it the test of pandas is skipped, and vitest says so: `apt-get install python3-zstandard`. */
const HAS_ZSTANDARD = PYTHON !== undefined && spawnSync(PYTHON, ['-c', 'import zstandard']).status === 0;

const SETTINGS = {
  STAR_FORMATS: 'csv,jsonl,parquet',
  STAR_WINDOW_MINUTES: '5',
  STAR_SETTLE_MINUTES: '1',
};

let db: MariaDb;
let stage: Stage;
let folder: string;
let top: string;

beforeAll(async () => {
  db = await useMariaDb();
  const sample = await loadSample(db);
  const cells = [sample.cell1, sample.cell0];
  for (const cell of cells) await shiftByYear(cell);
  await addUnknowns(sample.cell1);
  await addHosts(sample.cell1);
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-analysts-'));
  top = join(folder, BUCKET);
  stage = await startStage({ folder, env: { ...SETTINGS, STAR_CLOUD: 'demo' } });
  const dsns = cells.map((cell) => [cell.name, cell.dsn()]);
  await stage.setSecret(JSON.stringify({ cells: Object.fromEntries(dsns), ssl: 'off' }));
  const range = { start: '2025-11-23T07:20:00Z', end: '2025-11-23T07:45:00Z' };
  const all = { STAR_TABLES: TABLES.map(({ name }) => name).join(), STAR_FORMATS: 'csv,jsonl' };
  for (const more of [
    {},
    { ...all, STAR_CLOUD: 'gzip', STAR_COMPRESSION: 'gzip' },
    { ...all, STAR_CLOUD: 'zstd', STAR_COMPRESSION: 'zstd' },
  ]) {
    Object.assign(stage.env, more);
    const { status } = await stage.backfill(range);
    if (status !== 'published') throw new Error(`the backfill is ${status}`);
  }
});
afterAll(async () => {
  await stage.stop();
  await db.stop();
  await rm(folder, { recursive: true });
});

/** A server of which hardly anything is known. */
async function addUnknowns(cell: Cell): Promise<void> {
  const times = { created_at: '2025-11-23 07:30:00', start_time: '2025-11-23 07:30:00' };
  const uuid = 'e0e00000-0000-4000-a000-000000005000';
  await upsert(cell, 'instances', [{ id: 5000, uuid, deleted: 0 }]);
  await upsert(cell, 'instance_actions', [
    { id: 5000, action: 'act', instance_uuid: uuid, deleted: 0, ...times },
  ]);
  const event = { action_id: 5000, deleted: 0, ...times, finish_time: '2025-11-23 07:30:09' };
  await upsert(cell, 'instance_actions_events', [{ ...event, id: 5000, event: 'compute_x' }]);
}

/** Of which one comes while the drops last. */
async function addHosts(cell: Cell): Promise<void> {
  const hosts = hostsOf(cell);
  for (const [host, created] of [
    ['cmp-1', '2025-11-01T00:00:00Z'],
    ['cmp-2', '2025-11-23T07:31:00Z'],
  ] as const)
    await hosts.add(host, Date.parse(created) / 1000);
}

async function ask(sql: string): Promise<Record<string, unknown>[]> {
  const duckdb = await DuckDBInstance.create();
  try {
    const connection = await duckdb.connect();
    await connection.run(`SET file_search_path = '${top}'; SET TimeZone = 'UTC'`);
    const result = await connection.runAndReadAll(sql);
    connection.closeSync();
    return result.getRowObjectsJson();
  } finally {
    duckdb.closeSync();
  }
}

/** Counts, sums, nulls and times of each column, whatever it is called. */
function summary(from: string, names: readonly string[]): string {
  const of = COLUMNS.map(({ type, parquet }, at) => {
    const column = `"${names[at]}"`;
    const value = {
      integer: `sum(${column})`,
      boolean: `count_if(${column})`,
      timestamp: `sum(epoch(${column}))`,
      string: `count(DISTINCT ${column})`,
    };
    return `(count(*) - count(${column}))::BIGINT AS ${parquet}_nulls, ${value[type]}::BIGINT AS ${parquet}`;
  });
  return `SELECT count(*) AS rows, ${of.join(', ')} FROM ${from}`;
}

describe('An analyst with DuckDB', () => {
  test('finds the same counts, sums, nulls and times in CSV, JSON lines and Parquet', async () => {
    const csv = await ask(
      summary(
        "read_csv('cloud=demo/instance_events/*/*.csv.gz')",
        COLUMNS.map((column) => column.csv),
      ),
    );
    const jsonl = await ask(
      summary(
        "read_json('cloud=demo/instance_events_jsonl/*/*.jsonl.gz')",
        COLUMNS.map((column) => column.jsonl),
      ),
    );
    const parquet = await ask(
      summary(
        "read_parquet('cloud=demo/instance_events_parquet/*/*.parquet')",
        COLUMNS.map((column) => column.parquet),
      ),
    );
    expect(Number(csv[0]?.['rows'])).toBeGreaterThan(1400);
    expect(Number(csv[0]?.['user_id_nulls'])).toBe(1);
    expect(jsonl).toEqual(csv);
    expect(parquet).toEqual(csv);
  });

  test('finds real types: times, whole numbers and text', async () => {
    const kinds = { string: 'VARCHAR', integer: 'BIGINT', timestamp: 'TIMESTAMP', boolean: 'BOOLEAN' };
    for (const [from, names] of [
      ["read_csv('cloud=demo/instance_events/*/*.csv.gz')", COLUMNS.map((column) => column.csv)],
      ["read_json('cloud=demo/instance_events_jsonl/*/*.jsonl.gz')", COLUMNS.map((column) => column.jsonl)],
      [
        "read_parquet('cloud=demo/instance_events_parquet/*/*.parquet')",
        COLUMNS.map((column) => column.parquet),
      ],
    ] as const) {
      const described = await ask(`DESCRIBE SELECT * EXCLUDE (cloud, date) FROM ${from}`);
      expect(
        described.map((column) => [
          column['column_name'],
          String(column['column_type']).replace(' WITH TIME ZONE', ''),
        ]),
      ).toEqual(COLUMNS.map(({ type }, at) => [names[at], kinds[type]]));
    }
  });

  test('finds in a Parquet file what drop it is of', async () => {
    const found = await ask(
      `SELECT DISTINCT decode(key) AS key, decode(value) AS value
       FROM parquet_kv_metadata('cloud=demo/instance_events_parquet/*/*-20251123T072000Z-*.parquet') ORDER BY key`,
    );
    const [manifest] = await ask(
      "SELECT masking.scope AS scope FROM read_json('cloud=demo/manifests/*/20251123T072000Z-*.json')",
    );
    expect(found).toEqual([
      { key: 'cloud', value: 'demo' },
      { key: 'epoch', value: '2015-09-06T23:31:16Z' },
      { key: 'masking_scope', value: manifest?.['scope'] },
      { key: 'window', value: '2025-11-23T07:20:00Z/2025-11-23T07:25:00Z' },
    ]);
  });

  test('can run every query of README and the documentation', async () => {
    const blocks = [...(await blocksOf('README.md', 'sql')), ...(await blocksOf('docs/querying.md', 'sql'))];
    expect(blocks.length).toBeGreaterThan(3);
    for (const block of blocks) expect(await ask(block)).not.toEqual([]);
  });
});

describe('A trace compressed by Zstandard', () => {
  /** Rows, and of each column known and distinct values, as text: a table without rows has columns of no type. */
  const counts = (from: string, names: readonly string[]): string => {
    const of = names.map(
      (name, at) => `count("${name}") AS known_${at}, count(DISTINCT "${name}") AS distinct_${at}`,
    );
    return `SELECT count(*) AS rows, ${of.join(', ')} FROM ${from}`;
  };

  test.each(TABLES.map((table) => [table.name, table] as const))(
    'is the same to DuckDB as one compressed by gzip: %s',
    async (name, { columns }) => {
      const csv = columns.filter(({ inCsv }) => inCsv).map((column) => column.csv);
      const jsonl = columns.map((column) => column.jsonl);
      const texts = jsonl.map((column) => `"${column}": 'VARCHAR'`).join(', ');
      const of = async (cloud: string, extension: string): Promise<Record<string, unknown>[][]> => [
        await ask(counts(`read_csv('cloud=${cloud}/${name}/*/*.csv.${extension}', all_varchar = true)`, csv)),
        await ask(
          counts(
            `read_json('cloud=${cloud}/${name}_jsonl/*/*.jsonl.${extension}', columns = {${texts}})`,
            jsonl,
          ),
        ),
      ];
      const found = await of('zstd', 'zst');
      expect(Number(found[0]?.[0]?.['rows'])).toBeGreaterThan(0);
      expect(found[1]?.[0]?.['rows']).toBe(found[0]?.[0]?.['rows']);
      expect(found).toEqual(await of('gzip', 'gz'));
    },
  );

  test.skipIf(!HAS_ZSTANDARD)('is read by pandas with the package zstandard, all tables', () => {
    const script = [
      'import glob, sys, pandas as pd',
      'def lines(file):',
      '  return pd.concat([pd.DataFrame(), *pd.read_json(file, lines=True, chunksize=1000)])',
      'for table in sys.argv[1:]:',
      '  rows = [sum(len(read(file)) for file in glob.glob(files)) for files, read in (',
      '    (f"cloud=gzip/{table}/*/*.csv.gz", pd.read_csv),',
      '    (f"cloud=zstd/{table}/*/*.csv.zst", pd.read_csv),',
      '    (f"cloud=zstd/{table}_jsonl/*/*.jsonl.zst", lines))]',
      '  files = glob.glob(f"cloud=zstd/{table}*/*/*.zst")',
      '  assert files and len(set(rows)) == 1, (table, rows)',
    ].join('\n');
    const tables = TABLES.map(({ name }) => name);
    const { stderr } = spawnSync(PYTHON ?? '', ['-c', script, ...tables], { cwd: top, encoding: 'utf8' });
    expect(stderr).toBe('');
  });
});

describe.skipIf(PYTHON === undefined)('An analyst with pandas, where it is installed', () => {
  /** Runs the blocks of the documentation, and then prints what an expression gives, as JSON. */
  async function python(expression: string): Promise<unknown> {
    const blocks = await blocksOf('docs/querying.md', 'python');
    const script = join(folder, 'analyst.py');
    await writeFile(script, [...blocks, 'import json', `print(json.dumps(${expression}))`].join('\n'));
    const { status, stdout, stderr } = spawnSync(PYTHON ?? '', [script], { cwd: top, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  }

  test('finds in CSV and JSON lines what DuckDB finds in Parquet', async () => {
    const [found] = await ask(
      summary(
        "read_parquet('cloud=demo/instance_events_parquet/*/*.parquet')",
        COLUMNS.map((column) => column.parquet),
      ),
    );
    const value = (frame: string, name: string, type: string): string => {
      const column = `${frame}["${name}"]`;
      if (type === 'integer') return `int(${column}.sum())`;
      return type === 'timestamp'
        ? `int((${column}.astype("int64") // 10**9).sum())`
        : `int(${column}.nunique())`;
    };
    const entries = (frame: string, names: readonly string[]): string =>
      COLUMNS.map(
        ({ parquet, type }, at) =>
          `"${parquet}_nulls": int(${frame}["${names[at]}"].isna().sum()), "${parquet}": ${value(frame, names[at] ?? '', type)}`,
      ).join(', ');
    const csv = await python(
      `{"rows": len(trace), ${entries(
        'trace',
        COLUMNS.map((column) => column.csv),
      )}}`,
    );
    const jsonl = await python(
      `{"rows": len(lines), ${entries(
        'lines',
        COLUMNS.map((column) => column.jsonl),
      )}}`,
    );
    const expected = Object.fromEntries(
      Object.entries(found ?? {}).map(([name, text]) => [name, Number(text)]),
    );
    expect(jsonl).toEqual(expected);
    // Merging on sizes that are not known matches them with each other.
    expect(csv).toEqual(expected);
  });

  test('can do with the CSV what is done with published traces', async () => {
    const result = (await python(
      '{"dtypes": [str(trace["START_TIME"].dtype), str(trace["FINISH_TIME"].dtype)], "flavors": len(flavors), ' +
        '"servers": len(spans), "events": int(spans["events"].sum()), "rows": len(trace), ' +
        '"negative": int((spans["seconds"] < 0).sum())}',
    )) as Record<string, unknown>;
    const [{ servers, rows } = {}] = await ask(
      "SELECT count(DISTINCT INSTANCE_UUID)::INT AS servers, count(*)::INT AS rows FROM read_csv('cloud=demo/instance_events/*/*.csv.gz')",
    );
    expect(result).toMatchObject({
      dtypes: ['datetime64[ns]', 'datetime64[ns]'],
      servers,
      rows,
      events: rows,
      negative: 0,
    });
    expect(Number(result['flavors'])).toBeGreaterThan(3);
  });
});
