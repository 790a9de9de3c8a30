import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { DAY, MINUTE, iso } from '../../lib/core/time.ts';
import { type CommandOptions, type Ran, runCommand } from './command.ts';
import { type MariaDb, useMariaDb } from './mariadb/index.ts';
import { replay } from './nova/history.ts';
import { randomHistory } from './nova/random-history.ts';
import { type Cell, createCell } from './nova/schema.ts';

/** Where the history of {@link useCloudAndFolder} begins. */
export const START = Date.UTC(2025, 7, 1) / 1000;

/** When the schedule publishes a day, counted from 0. */
export const afterDay = (nth: number): string => iso(START + (nth + 1) * DAY + 45 * MINUTE);

/** A cloud with a history, and for each test an empty folder to publish into from the command line. */
export interface CloudAndFolder {
  readonly cells: readonly Cell[];
  /** What opens the databases, as text and as a file. */
  readonly secret: string;
  readonly secretFile: string;
  /** A masking secret, and its file. */
  readonly salt: Buffer;
  readonly saltFile: string;
  /** Where drops go. */
  readonly traces: string;
  /** For other files of a test. */
  readonly work: string;
  /** Runs a command with `--to` the folder, where nothing else is said. */
  run(command: string, args?: readonly string[], options?: CommandOptions): Promise<Ran>;
  /** Runs `publish` for the cloud. */
  publish(args?: readonly string[], options?: CommandOptions): Promise<Ran>;
  /** Every file in the folder but the store's own, by key. */
  objects(): Promise<Map<string, Buffer>>;
}

export function useCloudAndFolder({
  days,
  eventsPerDay,
}: {
  days: number;
  eventsPerDay: number;
}): CloudAndFolder {
  let db: MariaDb;
  let cells: readonly Cell[] = [];
  let [work, traces, secret] = ['', '', ''];
  const salt = randomBytes(32);
  beforeAll(async () => {
    db = await useMariaDb();
    cells = [await createCell(db, 'cell1'), await createCell(db, 'cell0')];
    const { changes } = randomHistory({
      seed: 18,
      days,
      start: START,
      eventsPerDay,
      mix: { rescheduled: 0, moves: 0 },
    });
    await replay(cells, changes).applyUntil(START + (days + 1) * DAY);
    const dsns = Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn()]));
    secret = JSON.stringify({ cells: dsns, ssl: 'off' });
  });
  afterAll(() => db.stop());
  beforeEach(async () => {
    work = await mkdtemp(join(tmpdir(), 'star-compactor-publish-'));
    traces = join(work, 'traces');
    await writeFile(join(work, 'secret.json'), secret);
    await writeFile(join(work, 'salt'), salt);
  });
  afterEach(() => rm(work, { recursive: true, force: true }));

  const scene: CloudAndFolder = {
    get cells() {
      return cells;
    },
    get secret() {
      return secret;
    },
    get secretFile() {
      return join(work, 'secret.json');
    },
    salt,
    get saltFile() {
      return join(work, 'salt');
    },
    get traces() {
      return traces;
    },
    get work() {
      return work;
    },
    run: (command, args = [], options = {}) =>
      runCommand([command, ...(args.includes('--to') ? [] : ['--to', traces]), ...args], {
        ...options,
        env: { STAR_TABLES: 'instance_events', ...options.env },
      }),
    publish: (args = [], options = {}) =>
      scene.run('publish', ['--cloud', 'test', '--secret', scene.secretFile, ...args], options),
    objects: () => readFolder(traces),
  };
  return scene;
}

/** Every file in a folder but the store's own, by key. */
export async function readFolder(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/.star-compactor/'))
    .toSorted();
  return new Map(
    await Promise.all(
      paths.map(async (path): Promise<[string, Buffer]> => [relative(folder, path), await readFile(path)]),
    ),
  );
}
