import { S3Client } from '@aws-sdk/client-s3';

/** Without these, a service that cannot be reached (a VPC without a route to it) is waited for until the deadline. */
export const REQUEST_LIMITS = {
  connectionTimeout: 5000,
  requestTimeout: 60_000,
  throwOnRequestTimeout: true,
};

/** Safe to share between invocations: it holds connections and credentials, nothing of a trace. */
export function createS3Client(): S3Client {
  return new S3Client({
    maxAttempts: 5,
    requestHandler: REQUEST_LIMITS,
  });
}
