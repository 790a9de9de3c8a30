import { expect } from 'vitest';
import type { RequestHook } from '../aws/faults.ts';
import { type Drop, readDrops } from '../drops.ts';
import type { MariaDb } from '../mariadb/index.ts';
import { type LocalOpenStack, type OpenStackOptions, startOpenStack } from '../openstack/index.ts';
import type { RequestRecord } from '../s3/server.ts';
import { type Stage, startStage } from '../stage.ts';
import { type Change, replay } from './history.ts';
import { UNMASKED, WITHOUT_REPORT } from './scene.ts';
import { type Cell, createCell } from './schema.ts';

/** One cloud of two cells, and the function twice: over a fake of its API, and from its databases. */
export interface BothSources {
  readonly cells: readonly Cell[];
  readonly openstack: LocalOpenStack;
  readonly overApi: Stage;
  readonly fromDatabase: Stage;
  /** What S3 does for the second before it looks at a request; a test puts in what it needs. */
  onS3Request: RequestHook<RequestRecord> | undefined;
  /** Sets the same environment variables for both. */
  set(env: Record<string, string>): void;
  /** Lets changes come to pass, and invokes both at the given times, which do not decrease. */
  live(changes: readonly Change[], runs: readonly number[]): Promise<void>;
  /** The time of the last run, which the cloud takes for the present. */
  now: number;
  stop(): Promise<void>;
}

export async function startBothSources(
  db: MariaDb,
  options: Partial<OpenStackOptions> = {},
): Promise<BothSources> {
  const cells: Cell[] = [];
  for (const name of ['cell1', 'cell0']) cells.push(await createCell(db, name));
  // Its history is of other days, but its clock is right, or no trace would be begun.
  const date = (): number => Date.now() / 1000;
  const openstack = await startOpenStack({ cells, now: () => both.now, date, ...options });
  const settings = { ...UNMASKED, ...WITHOUT_REPORT };
  const overApi = await startStage({ env: settings });
  const fromDatabase = await startStage({
    env: settings,
    onS3Request: (request) => both.onS3Request?.(request),
  });
  await overApi.setSecret(openstack.secret());
  const dsns = Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn()]));
  await fromDatabase.setSecret(JSON.stringify({ cells: dsns, ssl: 'off' }));
  const both: BothSources = {
    cells,
    openstack,
    overApi,
    fromDatabase,
    onS3Request: undefined,
    now: 0,
    set(env) {
      for (const stage of [overApi, fromDatabase]) Object.assign(stage.env, env);
    },
    async live(changes, runs) {
      const history = replay(cells, changes);
      for (const time of runs) {
        await history.applyUntil(time);
        both.now = time;
        await overApi.run(time);
        await fromDatabase.run(time);
      }
    },
    async stop() {
      await overApi.stop();
      await fromDatabase.stop();
      await openstack.stop();
      for (const { database } of cells) await db.query(`DROP DATABASE \`${database}\``);
    },
  };
  return both;
}

export interface Comparison {
  readonly database: readonly Drop[];
  readonly api: readonly Drop[];
  /** Rows with their window, field for field. */
  readonly onlyInDatabase: readonly string[];
  readonly onlyOverApi: readonly string[];
}

/** Holds the drops of both against each other, window by window. */
export async function compareBothSources({ overApi, fromDatabase }: BothSources): Promise<Comparison> {
  const [database, api] = [await readDrops(fromDatabase.client), await readDrops(overApi.client)];
  expect(api.map(({ manifest }) => manifest.window)).toEqual(database.map(({ manifest }) => manifest.window));
  const [left, right] = [database.flatMap(rowsOf), api.flatMap(rowsOf)];
  return { database, api, onlyInDatabase: without(left, right), onlyOverApi: without(right, left) };
}

export const EQUAL = { onlyInDatabase: [], onlyOverApi: [] };

function rowsOf({ manifest, rows }: Drop): string[] {
  return (rows['jsonl'] ?? []).map((row) => `${manifest.window.start} ${JSON.stringify(row)}`);
}

/** What of `rows` is not among `others`, as often as it is too much. */
export function without(rows: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const row of others) left.set(row, (left.get(row) ?? 0) + 1);
  return rows.filter((row) => {
    const count = left.get(row) ?? 0;
    left.set(row, count - 1);
    return count <= 0;
  });
}
