import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

export interface AwsClients extends Disposable {
  readonly s3: S3Client;
  readonly secretsManager: SecretsManagerClient;
}

/** Without limits, a service that cannot be reached (a VPC without a route to it) is waited for until the deadline. */
export const requestHandler = {
  connectionTimeout: 5000,
  requestTimeout: 60_000,
  throwOnRequestTimeout: true,
};

/** One set for each invocation: a daily run gains nothing from connections that are kept open. */
export function openAwsClients(): AwsClients {
  const s3 = new S3Client({ maxAttempts: 5, requestHandler });
  const secretsManager = new SecretsManagerClient({ requestHandler });
  return {
    s3,
    secretsManager,
    [Symbol.dispose]() {
      s3.destroy();
      secretsManager.destroy();
    },
  };
}
