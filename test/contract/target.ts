import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { startS3 } from '../support/s3/server.ts';

/** What the contract is run against. */
export interface Target {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined };
  bucket: string;
  /** Every key of this run begins with it. */
  prefix: string;
  /** The SDK's client, but for the addressing, with its defaults. */
  client: S3Client;
  close(): Promise<void>;
}

/** The endpoint that the environment names, or else a local server of our own, on request in Ceph's mode. */
export async function openTarget(): Promise<Target> {
  const place = process.env['S3_ENDPOINT'] ? fromEnvironment() : await startLocally();
  const { endpoint, region, credentials, bucket } = place;
  const prefix = `contract-${randomUUID()}/`;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const close = async () => {
    await cleanUp(client, bucket, prefix);
    client.destroy();
    await place.stop();
  };
  return { endpoint, region, credentials, bucket, prefix, client, close };
}

async function startLocally() {
  const folder = await mkdtemp(join(tmpdir(), 's3-contract-'));
  const seed = process.env['S3_CONTRACT_CEPH'];
  const ceph = seed === undefined ? undefined : { seed: Number(seed), deletesBlindly: true };
  const server = await startS3({ folder, buckets: ['contract'], ceph });
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const stop = async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  };
  return { endpoint, region, credentials: { accessKeyId, secretAccessKey }, bucket: 'contract', stop };
}

function fromEnvironment() {
  return {
    endpoint: required('S3_ENDPOINT'),
    region: required('AWS_REGION'),
    bucket: required('S3_BUCKET'),
    credentials: {
      accessKeyId: required('AWS_ACCESS_KEY_ID'),
      secretAccessKey: required('AWS_SECRET_ACCESS_KEY'),
      sessionToken: process.env['AWS_SESSION_TOKEN'],
    },
    stop: () => Promise.resolve(),
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`S3_ENDPOINT is set, so ${name} has to be set as well`);
  return value;
}

async function cleanUp(client: S3Client, Bucket: string, Prefix: string): Promise<void> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
  for (const { Key, UploadId } of Uploads) {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
    const Objects = Contents.map(({ Key }) => ({ Key }));
    if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  }
}
