import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openStore } from '../../../lib/command/store.ts';
import type { PlaceValues } from '../../../lib/command/place-options.ts';
import { listenOnLoopback } from '../../support/listen-on-loopback.ts';
import { createCertificates } from '../../support/mariadb/tls.ts';
import { type LocalS3, startS3 } from '../../support/s3/server.ts';

let [s3, folder]: [LocalS3 | undefined, string] = [undefined, ''];
/** Speaks TLS before the fake S3. */
let tls: Server | undefined;
let endpoint = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-store-'));
  const { server } = await createCertificates(folder);
  const fake = await startS3({ folder: join(folder, 'fake'), buckets: ['traces'] });
  s3 = fake;
  tls = createServer(server, (socket) => {
    const behind = connect(Number(new URL(fake.endpoint).port), '127.0.0.1');
    for (const side of [socket, behind]) side.on('error', () => undefined);
    socket.pipe(behind).pipe(socket);
  });
  endpoint = `https://127.0.0.1:${await listenOnLoopback(tls)}`;
});
afterAll(async () => {
  tls?.close();
  await s3?.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', s3?.accessKeyId ?? '');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', s3?.secretAccessKey ?? '');
});
afterEach(() => void vi.unstubAllEnvs());

/** What the store answers about a key, once it is opened. */
async function ask(place: PlaceValues): Promise<unknown> {
  await using opened = await openStore({ STAR_TO: 's3://traces/some', ...place }, { create: false });
  return await opened.store.readText(`${opened.prefix}/nothing`, AbortSignal.timeout(60_000));
}

describe('A bucket that is not Amazon’s', () => {
  test('is reached over TLS with the authority of --ca', async () => {
    const ca = join(folder, 'ca.pem');
    expect(await ask({ STAR_ENDPOINT: endpoint, STAR_CA: ca })).toBeUndefined();
    vi.stubEnv('AWS_CA_BUNDLE', ca);
    expect(await ask({ STAR_ENDPOINT: endpoint })).toBeUndefined();
  });

  test('whose authority nobody named is refused', async () => {
    await expect(ask({ STAR_ENDPOINT: endpoint })).rejects.toThrow(/certificate/);
  });

  test.each([
    [undefined, / store\.invalid$/],
    ['true', / store\.invalid$/],
    ['false', / traces\.store\.invalid$/],
  ])('is asked by its name in the path or in the host, with --path-style %s', async (style, asked) => {
    const place = { STAR_ENDPOINT: 'http://store.invalid', ...(style && { STAR_PATH_STYLE: style }) };
    // No such host is ever found, and the error says which was looked for.
    await expect(ask(place)).rejects.toThrow(asked);
  });

  test('is not opened with another --path-style', async () => {
    await expect(ask({ STAR_ENDPOINT: endpoint, STAR_PATH_STYLE: 'yes' })).rejects.toThrow(
      '--path-style: got "yes"; accepted: true or false',
    );
  });
});
