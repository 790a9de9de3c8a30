import { Agent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { BUCKET_NAME, KEY_PREFIX } from '../config/variables.ts';
import { InputError, firstLine } from '../core/errors.ts';
import { requestHandler } from '../runtime/aws-clients.ts';
import { s3Store } from '../store/s3/s3-store.ts';
import type { Store } from '../store/store.ts';
import type { PlaceValues } from './place-options.ts';
import { atHome, readInput } from './terminal.ts';

export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  /** Of all keys. */
  readonly prefix: string;
}

/**
 * Opens the store that `--to` names.
 *
 * @param create whether a folder may be made
 * @throws InputError where it is no store, or cannot be used as one
 */
export async function openStore(place: PlaceValues, { create }: { create: boolean }): Promise<OpenedStore> {
  const to = refuseNoPlace(place);
  if (to.startsWith('s3://')) return openBucket(to, place);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(to)) throw new InputError(`--to: got "${to}"; accepted: ${ACCEPTED}`);
  const foreign = (['STAR_ENDPOINT', 'STAR_PATH_STYLE', 'STAR_REGION', 'STAR_CA'] as const).find(
    (name) => place[name] !== undefined,
  );
  if (foreign !== undefined) {
    const option = foreign.slice('STAR_'.length).toLowerCase().replace('_', '-');
    throw new InputError(`--${option}: is for a bucket, but --to is a folder; accepted: one of the two`);
  }
  // Only here: what it takes to lock a folder is not loaded for a bucket.
  const { openFolder } = await import('../store/folder/folder-store.ts');
  const store = await openFolder(atHome(to), { create });
  return { store, prefix: '', [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

/** @throws InputError where nothing names the place of the trace */
export function refuseNoPlace({ STAR_TO: to }: PlaceValues): string {
  if (to !== undefined) return to;
  throw new InputError(`--to: got nothing; accepted: ${ACCEPTED}`);
}

const ACCEPTED = 's3://BUCKET, s3://BUCKET/PREFIX, or a folder on a local disk';

async function openBucket(to: string, place: PlaceValues): Promise<OpenedStore> {
  const [, name = '', prefix = ''] = /^s3:\/\/([^/]*)\/?(.*?)\/?$/.exec(to) ?? [];
  if (!BUCKET_NAME.test(name) || !KEY_PREFIX.test(prefix) || /(^|\/)\.{1,2}(\/|$)/.test(prefix))
    throw new InputError(`--to: got "${to}"; accepted: s3://BUCKET or s3://BUCKET/PREFIX`);
  const endpoint = readEndpoint(place.STAR_ENDPOINT);
  const region = place.STAR_REGION ?? inEnvironment('AWS_REGION') ?? inEnvironment('AWS_DEFAULT_REGION');
  const ca = place.STAR_CA ?? inEnvironment('AWS_CA_BUNDLE');
  const client = new S3Client({
    maxAttempts: 5,
    requestHandler: {
      ...requestHandler,
      ...(ca === undefined
        ? {}
        : { httpsAgent: new Agent({ keepAlive: true, maxSockets: 50, ca: await readInput(ca, '--ca') }) }),
    },
    forcePathStyle: isPathStyle(place.STAR_PATH_STYLE, endpoint),
    ...(endpoint === undefined ? {} : { endpoint }),
    // Stores that are not Amazon's rarely have one, and a signature needs some name.
    ...(region !== undefined ? { region } : endpoint === undefined ? {} : { region: 'us-east-1' }),
  });
  try {
    await refuseUnset(client);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return {
    store: s3Store({ client, name }),
    prefix,
    [Symbol.asyncDispose]: () => Promise.resolve(client.destroy()),
  };
}

/** Before anything is sent: what the SDK says about it later names no remedy. */
async function refuseUnset({ config }: S3Client): Promise<void> {
  await config.region().catch(() => {
    throw new InputError('--region: got nothing; accepted: the region of the bucket, or AWS_REGION');
  });
  await config.credentials().catch((error: unknown) => {
    throw new InputError(
      `--to: there are no credentials for the bucket (${firstLine(error)}); ` +
        'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
    );
  });
}

function readEndpoint(given: string | undefined): string | undefined {
  const text = given ?? inEnvironment('AWS_ENDPOINT_URL_S3') ?? inEnvironment('AWS_ENDPOINT_URL');
  if (text === undefined) return undefined;
  const isUrl = URL.canParse(text) && /^https?:\/\//.test(text);
  if (isUrl && new URL(text).username === '') return text;
  throw new InputError(
    '--endpoint: got no URL of a store; accepted: https://HOST or https://HOST:PORT, without credentials',
  );
}

/** Names of buckets as names of hosts need a DNS that most stores of one's own lack. */
function isPathStyle(given: string | undefined, endpoint: string | undefined): boolean {
  if (given === 'true' || given === 'false') return given === 'true';
  if (given !== undefined) throw new InputError(`--path-style: got "${given}"; accepted: true or false`);
  return endpoint !== undefined && !/\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}

function inEnvironment(name: string): string | undefined {
  const value = process.env[name] ?? '';
  return value === '' ? undefined : value;
}
