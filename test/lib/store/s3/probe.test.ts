import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { s3Store } from '../../../../lib/store/s3/s3-store.ts';
import type { RequestHook } from '../../../support/aws/faults.ts';
import { listKeys } from '../../../support/drops.ts';
import type { RequestRecord } from '../../../support/s3/server.ts';
import { BUCKET, type StageOptions, startStage } from '../../../support/stage.ts';

const CONDITIONS = [
  'If-None-Match on PutObject',
  'If-Match on PutObject',
  'If-None-Match on CompleteMultipartUpload',
  'If-Match on CompleteMultipartUpload',
];

/** What a probe finds; and nothing of it is left. */
async function probe(options: StageOptions): Promise<readonly string[]> {
  const stage = await startStage(options);
  try {
    const store = s3Store({ client: stage.client, name: BUCKET });
    return await store.probe('a/probe', new AbortController().signal);
  } finally {
    expect(await listKeys(stage.client)).toEqual([]);
    const list = new ListMultipartUploadsCommand({ Bucket: BUCKET });
    expect((await stage.client.send(list)).Uploads ?? []).toEqual([]);
    await stage.stop();
  }
}

describe('A probe of a bucket', () => {
  test('finds nothing at S3, nor at one that answers as Ceph does', async () => {
    expect(await probe({})).toEqual([]);
    expect(await probe({ ceph: { seed: 3 } })).toEqual([]);
  });

  test.each(CONDITIONS)('finds that the store ignores %s', async (condition) => {
    expect(await probe({ ignored: [condition] })).toEqual([condition]);
  });

  test('finds all that the store ignores', async () => {
    // Where a first write is not refused, nothing can be told of a later one.
    expect(await probe({ ignored: CONDITIONS })).toEqual(CONDITIONS.filter((_, nth) => nth !== 1));
  });

  test.each([
    ['PutObject', [CONDITIONS[0]]],
    ['CompleteMultipartUpload', CONDITIONS.slice(2)],
  ])('takes 501 to %s for one that the store does not know', async (operation, lacking) => {
    const onS3Request: RequestHook<RequestRecord> = (request) => {
      const isConditional = (request.headers['if-match'] ?? request.headers['if-none-match']) !== undefined;
      return request.operation === operation && isConditional
        ? { status: 501, code: 'NotImplemented' }
        : undefined;
    };
    expect(await probe({ onS3Request })).toEqual(lacking);
  });

  test.each(['PutObject', 'CreateMultipartUpload', 'CompleteMultipartUpload'])(
    'fails where %s is refused for another reason',
    async (operation) => {
      const onS3Request: RequestHook<RequestRecord> = (request) =>
        request.operation === operation ? { status: 403, code: 'AccessDenied' } : undefined;
      await expect(probe({ onS3Request })).rejects.toMatchObject({
        name: 'StoreError',
        message: expect.stringContaining('AccessDenied'),
      });
    },
  );
});
