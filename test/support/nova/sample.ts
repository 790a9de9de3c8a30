import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { MariaDb, Row } from '../mariadb/index.ts';
import { upsert } from './rows.ts';
import { TABLES, createCell } from './schema.ts';
import type { Cell, CellOptions, Table } from './schema.ts';

export type SampleCell = 'cell1' | 'cell0';
export type Sample = Record<SampleCell, Record<Table, Row[]>>;

/** One line of the fixture: rows as arrays in the order of `columns`. */
interface TableLine {
  cell: SampleCell;
  table: Table;
  columns: string[];
  rows: unknown[][];
}

/**
 * What a real Nova 26.2 (Zed) on MariaDB 10.11 with the fake driver left in its two cell databases after the
 * life of 210 servers: 1,531 events of every lifecycle action, ten of them never finished.
 */
export async function readSample(): Promise<Sample> {
  const sample: Sample = { cell1: emptyTables(), cell0: emptyTables() };
  for (const line of await readLines<TableLine>('rows.jsonl.gz')) {
    sample[line.cell][line.table] = line.rows.map((values) =>
      Object.fromEntries(line.columns.map((column, at) => [column, values[at]])),
    );
  }
  return sample;
}

/** Creates the cells `cell1` and `cell0` with the sample's rows. */
export async function loadSample(server: MariaDb, options?: CellOptions): Promise<Record<SampleCell, Cell>> {
  const sample = await readSample();
  const load = async (name: SampleCell): Promise<Cell> => {
    const cell = await createCell(server, name, options);
    await upsert(cell, 'instances', sample[name].instances);
    await upsert(cell, 'instance_actions', sample[name].instance_actions);
    await upsert(cell, 'instance_actions_events', sample[name].instance_actions_events);
    return cell;
  };
  return { cell1: await load('cell1'), cell0: await load('cell0') };
}

/** To a time that lies in the past wherever this runs: the sample's day is then 2025-11-23. */
export async function shiftByYear(cell: Cell): Promise<void> {
  for (const table of TABLES) {
    const times = cell.columns[table].filter((column) => /_(at|time)$/.test(column));
    const changes = times.map((column) => `${column} = ${column} - INTERVAL 1 YEAR`);
    await cell.query(`UPDATE ${table} SET ${changes.join()}`);
  }
}

/** Reads a file of `test/fixtures/nova-sample`, one JSON value a line. */
export async function readLines<T>(file: string): Promise<T[]> {
  const packed = await readFile(new URL(`../../fixtures/nova-sample/${file}`, import.meta.url));
  return gunzipSync(packed)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const value: T = JSON.parse(line);
      return value;
    });
}

function emptyTables(): Record<Table, Row[]> {
  return { instances: [], instance_actions: [], instance_actions_events: [] };
}
