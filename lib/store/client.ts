import { S3Client } from '@aws-sdk/client-s3';

/** Safe to share between invocations: it holds connections and credentials, nothing of a trace. */
export function createS3Client(): S3Client {
  return new S3Client({
    maxAttempts: 5,
    requestHandler: { connectionTimeout: 5000, requestTimeout: 60_000, throwOnRequestTimeout: true },
  });
}
