import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { DAY, iso } from '../../lib/core/time.ts';
import type { RequestHook } from './aws/faults.ts';
import { listKeys, readObject } from './drops.ts';
import { type MariaDb, useMariaDb } from './mariadb/index.ts';
import { replay } from './nova/history.ts';
import { randomHistory } from './nova/random-history.ts';
import { type Cell, createCell } from './nova/schema.ts';
import type { RequestRecord } from './s3/server.ts';
import { type Stage, startStage } from './stage.ts';
import {
  type Execution,
  type ExecutionOptions,
  type Functions,
  execute,
  redrive,
} from './state-machine/run.ts';
import {
  type LocalStepFunctions,
  type StartedExecution,
  startStepFunctions,
} from './state-machine/server.ts';

/** Of all histories. */
export const START = Date.UTC(2025, 7, 1) / 1000;
export const SEED = Number(process.env['TEST_SEED'] ?? 20_261_127);
const PREFIX = 'star-compactor-test/backfill';

/** The date of a day of the history: 0, 1, … */
export const date = (nth: number): string => iso(START + nth * DAY).slice(0, 10);

/** A cloud with a history of days, the same for all tests of a file; for each test a store and a state machine. */
export interface Past {
  readonly db: MariaDb;
  readonly cells: readonly Cell[];
  readonly stage: Stage;
  readonly machine: LocalStepFunctions;
  /** What S3 does before it looks at a request; until the end of a test. */
  onS3Request: RequestHook<RequestRecord> | undefined;
  /** What Secrets Manager and Step Functions do before they look at a request; until the end of a test. */
  onAwsRequest: RequestHook<{ readonly operation: string }> | undefined;
  /** The functions as deployed, but for those that a test gives. */
  functions(own?: Partial<Functions>): Functions;
  /** Asks for a backfill as an operator does, and runs the execution that is started for it. */
  ask(event: object, own?: Partial<Functions>, options?: ExecutionOptions): Promise<Execution>;
  redrive(execution: Execution, own?: Partial<Functions>): Promise<Execution>;
  /** An execution as Step Functions knows it. */
  started(execution: Pick<Execution, 'name'>): StartedExecution;
  /** Owners of the masking secrets that are there: `release/NAME`, `execution/NAME`. */
  secrets(): string[];
  /** SHA-256 of every object, by key. */
  objects(prefix?: string): Promise<Record<string, string>>;
  /** Has workers die, and no more windows published, once so many are. */
  dyingAfter(windows: number): Partial<Functions>;
}

export interface PastOptions {
  days: number;
  eventsPerDay: number;
  /** Whether drops have reports, which take a quarter of the time. */
  reports?: boolean;
}

export function usePast({ days, eventsPerDay, reports = false }: PastOptions): Past {
  let db: MariaDb;
  let stage: Stage;
  let machine: LocalStepFunctions;
  const cells: Cell[] = [];

  beforeAll(async () => {
    db = await useMariaDb();
    for (const name of ['cell1', 'cell0']) cells.push(await createCell(db, name));
    const mix = { rescheduled: 0, moves: 0 };
    // The first half of those that are deleted by the middle of it is archived.
    const archiveAt = (nth: number): number | undefined =>
      nth === days - 2 ? START + Math.floor(days / 2) * DAY : undefined;
    const history = randomHistory({ seed: SEED, start: START, days, eventsPerDay, mix, archiveAt });
    await replay(cells, history.changes).applyUntil(START + (days + 9) * DAY);
  });
  afterAll(() => db.stop());
  beforeEach(async () => {
    past.onS3Request = undefined;
    past.onAwsRequest = undefined;
    stage = await startStage({
      env: { STAR_REPORT: String(reports), STAR_FORMATS: 'jsonl', STAR_BACKFILL_SECRETS: PREFIX },
      onS3Request: (request) => past.onS3Request?.(request),
      onSecretsRequest: (request) => past.onAwsRequest?.(request),
    });
    const dsns = Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn()]));
    await stage.setSecret(JSON.stringify({ cells: dsns, ssl: 'off' }));
    const { accessKeyId, secretAccessKey } = stage.s3;
    machine = await startStepFunctions({
      credentials: { accessKeyId, secretAccessKey },
      onRequest: (request) => past.onAwsRequest?.(request),
    });
    stage.env['AWS_ENDPOINT_URL_SFN'] = machine.endpoint;
    stage.env['STAR_BACKFILL_MACHINE'] = machine.machine;
  });
  afterEach(async () => {
    await machine.stop();
    await stage.stop();
  });

  /** Lets Step Functions know how it ended. */
  const noted = async (work: Promise<Execution>): Promise<Execution> => {
    const execution = await work;
    past.started(execution).status = execution.status;
    return execution;
  };
  const past: Past = {
    get db() {
      return db;
    },
    cells,
    get stage() {
      return stage;
    },
    get machine() {
      return machine;
    },
    onS3Request: undefined,
    onAwsRequest: undefined,
    functions: (own = {}) => ({
      plan: (event) => stage.step('plan', event),
      windows: (event) => stage.step('windows', event),
      end: (event) => stage.step('end', event),
      ...own,
    }),
    async ask(event, own, options) {
      const { execution } = await stage.backfill(event);
      const found = machine.executions().find(({ arn }) => arn === execution?.arn);
      if (found === undefined) throw new Error('no execution was started');
      return noted(execute(past.functions(own), found.input, { name: found.name, ...options }));
    },
    redrive(execution, own) {
      past.started(execution).status = 'RUNNING';
      return noted(redrive(execution, past.functions(own)));
    },
    started({ name }) {
      const found = machine.executions().find((execution) => execution.name === name);
      if (found === undefined) throw new Error(`no execution ${name} was started`);
      return found;
    },
    secrets: () =>
      stage.secretsManager
        .names()
        .filter((name) => name.startsWith(`${PREFIX}/`))
        .map((name) => name.slice(PREFIX.length + 1)),
    async objects(prefix) {
      const keys = await listKeys(stage.client, prefix);
      const sums = keys.map(async (key) => {
        const bytes = await readObject(stage.client, key);
        return [key, createHash('sha256').update(bytes).digest('hex')];
      });
      return Object.fromEntries(await Promise.all(sums)) as Record<string, string>;
    },
    dyingAfter(windows) {
      let published = 0;
      past.onS3Request = ({ operation, key }) => {
        if (operation !== 'PutObject' || !/\/manifests\/.*\.json$/.test(key)) return undefined;
        return published++ < windows ? undefined : { status: 403, code: 'AccessDenied' };
      };
      return {
        async windows(event) {
          try {
            return await stage.step('windows', event);
          } catch (error) {
            // As Lambda tells of a worker that ran out of memory.
            throw Object.assign(new Error('signal: killed', { cause: error }), { name: 'Runtime.ExitError' });
          }
        },
      };
    },
  };
  return past;
}
