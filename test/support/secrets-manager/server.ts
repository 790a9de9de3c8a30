import type { IncomingHttpHeaders } from 'node:http';
import type { Credentials } from '../aws/credentials.ts';
import type { RequestHook } from '../aws/faults.ts';
import { startJsonService } from '../aws/json-service.ts';
import { operations } from './operations.ts';
import type { Secrets } from './secrets.ts';

export interface RequestRecord {
  /** As the API reference names it, such as `GetSecretValue`. */
  operation: string;
  /** Name or ARN, as the client gave it; of one that is created, its name. */
  secretId: string | undefined;
  headers: IncomingHttpHeaders;
  /** Absent until the request is answered, and for good where the connection was reset. */
  status?: number;
}

export interface LocalSecretsManager extends Credentials {
  endpoint: string;
  region: string;
  /** Every request so far, in the order of their arrival. */
  requests(): RequestRecord[];
  /** Names of all secrets that can be read now. */
  names(): string[];
  /** Sets when a secret was made, in milliseconds since 1970. */
  backdate(name: string, created: number): void;
  stop(): Promise<void>;
}

export interface LocalSecretsManagerOptions {
  port?: number;
  region?: string;
  /** Each server makes its own unless they are given. Several fakes can share them that way. */
  credentials?: Credentials;
  /** Errors such as AccessDeniedException are injected here: the server knows no policies. */
  onRequest?: RequestHook<RequestRecord>;
}

/** Starts a Secrets Manager on the loopback address. Its secrets are in memory, and gone when it stops. */
export async function startSecretsManager(
  options: LocalSecretsManagerOptions = {},
): Promise<LocalSecretsManager> {
  const secrets: Secrets = new Map();
  const service = await startJsonService<RequestRecord>({
    ...options,
    service: 'secretsmanager',
    target: 'secretsmanager',
    version: '1.1',
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, run]) => [name, (input, region) => run(secrets, input, region)]),
    ),
    record: ({ operation, headers, input }) => {
      const id = input?.['SecretId'] ?? input?.['Name'];
      return { operation, headers, secretId: typeof id === 'string' ? id : undefined };
    },
  });
  return {
    ...service,
    names: () =>
      [...secrets.values()].filter(({ deletion }) => deletion === undefined).map(({ name }) => name),
    backdate(name, created) {
      const secret = secrets.get(name);
      if (secret === undefined) throw new Error(`no secret ${name}`);
      secret.created = created;
    },
  };
}
