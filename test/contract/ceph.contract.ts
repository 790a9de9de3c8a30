import { describe } from 'vitest';

/*
 * The whole contract again, against the local server in Ceph's mode. A server that the environment names is its own
 * judge of how it answers, so there this would only repeat the other files.
 */

const SEED = process.env['TEST_SEED'] ?? `${Date.now() % 1e6}`;

describe.skipIf(process.env['S3_ENDPOINT'])(`like Ceph (seed ${SEED})`, async () => {
  process.env['S3_CONTRACT_CEPH'] = SEED;
  await import('./s3.contract.ts');
  await import('./s3-access.contract.ts');
  await import('./s3-conditional-writes.contract.ts');
  await import('./s3-integrity.contract.ts');
  await import('./s3-listing.contract.ts');
  await import('./s3-multipart.contract.ts');
  await import('./s3-reads.contract.ts');
});
