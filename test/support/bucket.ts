import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Place as TracePlace } from '../../lib/drop/place.ts';
import type { Bucket } from '../../lib/store/s3/bucket.ts';
import { s3Store } from '../../lib/store/s3/s3-store.ts';
import { layoutOf } from '../../lib/store/layout.ts';
import type { RequestHook } from './aws/faults.ts';
import { readObject } from './drops.ts';
import type { RequestRecord } from './s3/server.ts';
import { BUCKET, type Stage, startStage } from './stage.ts';

/** A bucket for all tests of a file, in which each has a key of its own. */
export interface Place {
  readonly stage: Stage;
  readonly bucket: Bucket;
  /** At the start of a test there is nothing. */
  key: string;
  /** What S3 does before it looks at a request; until the end of a test. */
  onRequest: RequestHook<RequestRecord> | undefined;
  newKey(): string;
  /** A trace of its own, in which nothing is. */
  newTrace(): TracePlace;
  /** Loses the answer of the next write after it has taken effect. */
  loseNextAnswer(): void;
  /** Writes the object. */
  put(body: string): Promise<{ version: string }>;
  /** What the object holds. */
  text(): Promise<string>;
}

export function useBucket(): Place {
  let stage: Stage;
  let count = 0;
  const place: Place = {
    get stage() {
      return stage;
    },
    get bucket() {
      return { client: stage.client, name: BUCKET };
    },
    key: '',
    onRequest: undefined,
    newKey: () => `object-${++count}`,
    newTrace: () => ({
      store: s3Store(place.bucket),
      layout: layoutOf({ prefix: place.newKey(), cloud: 'test' }),
      signal: new AbortController().signal,
    }),
    loseNextAnswer() {
      place.onRequest = ({ operation }) => {
        if (operation !== 'PutObject') return undefined;
        place.onRequest = undefined;
        return { when: 'after', reset: true };
      };
    },
    async put(body) {
      const { ETag = '' } = await stage.client.send(
        new PutObjectCommand({ Bucket: BUCKET, Key: place.key, Body: body }),
      );
      return { version: ETag };
    },
    text: async () => (await readObject(stage.client, place.key)).toString('utf8'),
  };
  beforeAll(async () => {
    stage = await startStage({ onS3Request: (request) => place.onRequest?.(request) });
  });
  afterAll(() => stage.stop());
  beforeEach(() => {
    place.onRequest = undefined;
    place.key = place.newKey();
  });
  return place;
}
