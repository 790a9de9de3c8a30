import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type {
  GetObjectCommandInput,
  ListObjectsV2CommandInput,
  PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { openTarget } from './target.ts';

/** A target, and short forms of the calls that most tests make of it. */
export async function openCalls() {
  const target = await openTarget();
  const { client, bucket: Bucket, prefix } = target;
  let keys = 0;

  const get = (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
    client.send(new GetObjectCommand({ Bucket, Key, ...more }));

  return {
    target,
    client,
    Bucket,
    get,
    /** A key that no other test has. */
    newKey: (name = 'object') => `${prefix}${++keys}/${name}`,
    /** The key as `sendRaw` wants it. */
    below: (key: string) => key.slice(prefix.length),
    put: (
      Key: string,
      Body: Exclude<PutObjectCommandInput['Body'], undefined>,
      more: Partial<PutObjectCommandInput> = {},
    ) => client.send(new PutObjectCommand({ Bucket, Key, Body, ...more })),
    head: (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
      client.send(new HeadObjectCommand({ Bucket, Key, ...more })),
    list: (more: Partial<ListObjectsV2CommandInput>) =>
      client.send(new ListObjectsV2Command({ Bucket, ...more })),
    read: async (key: string, more: Partial<GetObjectCommandInput> = {}): Promise<string> => {
      const { Body } = await get(key, more);
      return (await Body?.transformToString()) ?? '';
    },
    readBytes: async (key: string): Promise<Buffer> => {
      const { Body } = await get(key);
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
  };
}

/** The error of a call that has to fail, such as `409 ConditionalRequestConflict`. */
export async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    return `${error.$metadata.httpStatusCode} ${error.name}`;
  }
  return 'no failure';
}

export function md5(content: string | Buffer): string {
  return createHash('md5').update(content).digest('hex');
}

/** The CRC32 of the content as S3 writes it. */
export function crc(content: string | Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(content));
  return bytes.toString('base64');
}
