import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { S3Client } from '@aws-sdk/client-s3';
import { handler as end } from '../../handlers/backfill-end.ts';
import { handler as plan } from '../../handlers/backfill-plan.ts';
import { handler as windows } from '../../handlers/backfill-windows.ts';
import { handler as backfill } from '../../handlers/backfill.ts';
import { handler } from '../../handlers/scheduled.ts';
import type { BackfillSummary } from '../../lib/backfill/summary.ts';
import type { ScheduleSummary } from '../../lib/schedule/summary.ts';
import { randomCredentials } from './aws/credentials.ts';
import { type LocalS3, type LocalS3Options, startS3 } from './s3/server.ts';
import { type LocalStepFunctions, startStepFunctions } from './state-machine/server.ts';
import {
  type LocalSecretsManager,
  type LocalSecretsManagerOptions,
  startSecretsManager,
} from './secrets-manager/server.ts';

export const BUCKET = 'traces';
export const SECRET = 'star-compactor/cloud';

/** The services around the function, and the function itself, as deployed but for the machine they run on. */
export interface Stage {
  readonly s3: LocalS3;
  readonly client: S3Client;
  readonly secretsManager: LocalSecretsManager;
  /** Where the steps of an execution ask about others, unless a test has one of its own in `env`. */
  readonly machine: LocalStepFunctions;
  /** What the function's environment holds; changes count from the next run on. */
  readonly env: Record<string, string>;
  /** Puts the secret that opens the cloud. */
  setSecret(value: string): Promise<void>;
  /** Adds another secret. */
  createSecret(name: string, value: Uint8Array | string): Promise<void>;
  /** Invokes the scheduled handler in this process, as the scheduler would at that time. */
  run(scheduledTime: string | number, lifetimeMs?: number): Promise<ScheduleSummary>;
  /** Invokes it with any event. */
  invoke(event: unknown, lifetimeMs?: number): Promise<ScheduleSummary>;
  /** Invokes the on-demand handler. */
  backfill(event: unknown, lifetimeMs?: number): Promise<BackfillSummary>;
  /** Invokes a handler of the backfill's state machine. */
  step(name: Step, event: unknown, lifetimeMs?: number): Promise<object>;
  stop(): Promise<void>;
}

const STEPS = { plan, windows, end };
export type Step = keyof typeof STEPS;

export interface StageOptions {
  env?: Record<string, string>;
  folder?: string;
  onS3Request?: LocalS3Options['onRequest'];
  onSecretsRequest?: LocalSecretsManagerOptions['onRequest'];
  ceph?: LocalS3Options['ceph'];
  ignored?: LocalS3Options['ignored'];
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'star-compactor-s3-')));
  const credentials = randomCredentials();
  const s3 = await startS3({
    folder,
    buckets: [BUCKET],
    credentials,
    ceph: options.ceph,
    ignored: options.ignored,
    ...(options.onS3Request === undefined ? {} : { onRequest: options.onS3Request }),
  });
  const secretsManager = await startSecretsManager({
    credentials,
    ...(options.onSecretsRequest === undefined ? {} : { onRequest: options.onSecretsRequest }),
  });
  const machine = await startStepFunctions({ credentials });
  const env: Record<string, string> = {
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.endpoint,
    STAR_BUCKET: BUCKET,
    STAR_CLOUD: 'test',
    STAR_SECRET: SECRET,
    // Most tests are of this one; those of others say so.
    STAR_TABLES: 'instance_events',
    ...options.env,
  };
  const aws = { region: s3.region, credentials };
  const client = new S3Client({ ...aws, endpoint: s3.endpoint });
  const secrets = new SecretsManagerClient({ ...aws, endpoint: secretsManager.endpoint });
  let hasSecret = false;

  const context = (lifetimeMs: number, more: Record<string, string> = {}) => {
    useEnvironment({ ...more, ...env });
    const ends = Date.now() + lifetimeMs;
    const getRemainingTimeInMillis = (): number => ends - Date.now();
    return { awsRequestId: randomUUID(), getRemainingTimeInMillis };
  };
  const ofMachine = { AWS_ENDPOINT_URL_SFN: machine.endpoint, STAR_BACKFILL_MACHINE: machine.machine };
  const invoke = (event: unknown, lifetimeMs = 900_000): Promise<ScheduleSummary> =>
    handler(event, context(lifetimeMs));
  return {
    s3,
    client,
    secretsManager,
    machine,
    env,
    async setSecret(value) {
      await (hasSecret
        ? secrets.send(new PutSecretValueCommand({ SecretId: SECRET, SecretString: value }))
        : secrets.send(new CreateSecretCommand({ Name: SECRET, SecretString: value })));
      hasSecret = true;
    },
    async createSecret(name, value) {
      const content = typeof value === 'string' ? { SecretString: value } : { SecretBinary: value };
      await secrets.send(new CreateSecretCommand({ Name: name, ...content }));
    },
    run: (time, lifetimeMs) =>
      invoke(
        { scheduledTime: typeof time === 'number' ? new Date(time * 1000).toISOString() : time },
        lifetimeMs,
      ),
    invoke,
    backfill: (event, lifetimeMs = 900_000) => backfill(event, context(lifetimeMs)),
    step: (name, event, lifetimeMs = 900_000) => STEPS[name](event, context(lifetimeMs, ofMachine)),
    async stop() {
      client.destroy();
      secrets.destroy();
      await s3.stop();
      await secretsManager.stop();
      await machine.stop();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The handler reads its settings from the process; what an earlier stage left is taken out. */
function useEnvironment(env: Record<string, string>): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('STAR_')) delete process.env[name];
  Object.assign(process.env, env);
}
