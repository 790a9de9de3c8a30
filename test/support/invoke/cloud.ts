import { GetObjectCommand } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { HOUR, MINUTE, iso } from '../../../lib/core/time.ts';
import type { RequestHook } from '../aws/faults.ts';
import { type Drop, eventsOf, listKeys, readDrops, readObject } from '../drops.ts';
import type { MariaDb } from '../mariadb/index.ts';
import { compareWithTruth, unlikeNow } from '../nova/compare.ts';
import { replay } from '../nova/history.ts';
import { randomHistory } from '../nova/random-history.ts';
import type { Mix } from '../nova/random-mix.ts';
import { type Cell, createCell } from '../nova/schema.ts';
import { finishedEvents } from '../nova/truth.ts';
import type { RequestRecord } from '../s3/server.ts';
import { BUCKET, type Stage, type StageOptions, startStage } from '../stage.ts';

/** A cloud of two cells with a random history, taken hour by hour, and the function beside it. */
export interface Cloud {
  readonly cells: readonly Cell[];
  readonly stage: Stage;
  /** What S3 does before it looks at a request; a test puts in what it needs, and takes it out again. */
  onS3Request: RequestHook<RequestRecord> | undefined;
  /** Goes on to the next hourly window: what the databases show once it is settled, and its schedule's event. */
  nextHour(): Promise<Hour>;
  /** Lets the cloud live on for a quarter of an hour. */
  liveOn(): Promise<void>;
  stop(): Promise<void>;
}

export interface Hour {
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
  /** `2025-06-01T00:00:00Z/2025-06-01T01:00:00Z` */
  readonly text: string;
  readonly event: { scheduledTime: string };
}

const START = Date.UTC(2025, 5, 1) / 1000;
const SETTLE = 30 * MINUTE;

export const UNMASKED = { STAR_MASKING: 'none', STAR_ALLOW_UNSAFE_MASKING: 'true' };

/**
 * Events straddle hours, last for days, finish late and never finish. None is rewritten and no server moves, so
 * that the tables at the end are exactly what all drops together have to hold.
 */
export async function startCloud(
  db: MariaDb,
  options: {
    seed: number;
    days: number;
    env?: Record<string, string>;
    mix?: Partial<Mix>;
    ceph?: StageOptions['ceph'];
  },
): Promise<Cloud> {
  const { seed, days } = options;
  const cells = [await createCell(db, 'cell1'), await createCell(db, 'cell0')];
  const { changes } = randomHistory({
    seed,
    days,
    start: START,
    eventsPerDay: 1000,
    mix: { rescheduled: 0, moves: 0, ...options.mix },
  });
  const history = replay(cells, changes);
  const stage = await startStage({
    env: { STAR_WINDOW_MINUTES: '60', STAR_FORMATS: 'csv,jsonl', ...options.env },
    onS3Request: (request) => cloud.onS3Request?.(request),
    ceph: options.ceph,
  });
  const readers = await Promise.all(cells.map((cell) => cell.reader()));
  const dsns = Object.fromEntries(cells.map((cell, at) => [cell.name, cell.dsn(readers[at])]));
  await stage.setSecret(JSON.stringify({ cells: dsns, ssl: 'off' }));

  let end = START;
  let now = START;
  const applyUntil = async (time: number): Promise<void> => {
    now = time;
    await history.applyUntil(now);
  };
  const cloud: Cloud = {
    cells,
    stage,
    onS3Request: undefined,
    async nextHour() {
      const start = end;
      end += HOUR;
      await applyUntil(Math.max(now, end + SETTLE));
      return {
        start,
        end,
        text: `${iso(start)}/${iso(end)}`,
        event: { scheduledTime: iso(end + SETTLE) },
      };
    },
    liveOn: () => applyUntil(now + 15 * MINUTE),
    async stop() {
      await stage.stop();
      // A run that hangs would hold its tables for ever.
      for (const { user } of readers) await db.query(`KILL USER '${user}'@'%'`).catch(() => undefined);
      for (const { database } of cells) await db.query(`DROP DATABASE \`${database}\``);
    },
  };
  return cloud;
}

/** Every finished event up to `until` is in one drop, once, with all its values, in both formats alike. */
export async function expectExactlyOnce({ stage, cells }: Cloud, until: number): Promise<Drop[]> {
  const drops = await readDrops(stage.client);
  const truth = await finishedEvents(cells, until);
  expect(truth.length).toBeGreaterThan(0);
  expect(compareWithTruth(drops, truth)).toEqual({ onlyInDrops: [], onlyInDatabase: [] });
  for (const drop of drops) expect(unlikeNow(drop, truth)).toEqual([]);
  expectSameInBothFormats(drops);
  return drops;
}

/**
 * The same as far as masks allow, which are others in every run: each drop is the work of one run, byte for byte
 * (two runs never write the same bytes), and together they have as many rows as events have finished.
 */
export async function expectUnmixed({ stage, cells }: Cloud, until: number): Promise<Drop[]> {
  const drops = await readDrops(stage.client);
  expectSameInBothFormats(drops);
  const rows = drops.reduce((total, { manifest }) => total + eventsOf(manifest).counts.rows, 0);
  expect(rows).toBe((await finishedEvents(cells, until)).length);
  return drops;
}

/** CSV and JSON lines of a drop hold the same rows in the same order, and so the masks of one secret. */
function expectSameInBothFormats(drops: readonly Drop[]): void {
  for (const { rows, manifest } of drops) {
    const text = (value: unknown): string =>
      (typeof value === 'string' ? value : JSON.stringify(value ?? ''))
        .replace(/^""$/, '')
        .replace(/(:\d\d)Z$/, '$1');
    const values = (format: string): string[][] =>
      (rows[format] ?? []).map((row) => Object.values(row).map(text));
    expect(values('csv')).toHaveLength(eventsOf(manifest).counts.rows);
    expect(values('csv')).toEqual(values('jsonl'));
  }
}

/** Where the checkpoint stands, as written. */
export async function watermark({ stage }: Pick<Cloud, 'stage'>): Promise<string | undefined> {
  const [key] = (await listKeys(stage.client)).filter((name) => name.endsWith('state/checkpoint.json'));
  if (key === undefined) return undefined;
  const found = await stage.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  const checkpoint = JSON.parse((await found.Body?.transformToString()) ?? '') as { window: { end: string } };
  return checkpoint.window.end;
}

/** The window that a run decided on and nobody has finished publishing, if there is one. */
export async function undecided(cloud: Pick<Cloud, 'stage'>): Promise<string[]> {
  const { client } = cloud.stage;
  const [key] = (await listKeys(client)).filter((name) => name.endsWith('state/claim.json'));
  if (key === undefined) return [];
  const claim = JSON.parse((await readObject(client, key)).toString('utf8')) as {
    window: { end: string };
    decided: unknown;
  };
  const isDone = claim.window.end <= ((await watermark(cloud)) ?? '');
  return claim.decided === null || isDone ? [] : [claim.window.end];
}
