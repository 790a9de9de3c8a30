import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../support/invoke/runtime.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';

const RUNNER = fileURLToPath(new URL('../support/invoke/runner.ts', import.meta.url));

let db: MariaDb;
let scene: Scene;
let folder: string;

beforeAll(async () => {
  db = await useMariaDb();
  scene = await startScene(db, [], {
    env: {
      STAR_MASKING: 'sha2-salted',
      STAR_ALLOW_UNSAFE_MASKING: 'false',
      STAR_MASKING_SECRET: 'masks',
      STAR_REPORT: 'true',
    },
  });
  await scene.addCell('cell1');
  await scene.open();
  const uuid = await scene.server('cell1');
  for (let nth = 0; nth < 50; nth++) {
    await scene.event('cell1', uuid, 'compute_stop_instance', {
      start: at('02 10:30') + nth,
      finish: at('02 10:31') + nth,
    });
  }
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-heap-'));
});
afterAll(async () => {
  await scene.stop();
  await db.stop();
  await rm(folder, { recursive: true });
});

/** Runs the function in a process of its own; gives what is on its heap when it has answered. */
async function heapAfterRun(): Promise<string> {
  const child = spawn(process.execPath, ['--heapsnapshot-signal=SIGUSR2', RUNNER], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    await once(child, 'message');
    const answered = once(child, 'message');
    child.send({
      event: { scheduledTime: '2025-06-03T00:45:00Z' },
      env: scene.stage.env,
      lifetimeMs: 900_000,
    });
    const [answer] = (await answered) as [Answer];
    if ('error' in answer) throw new Error(answer.error.message);
    child.kill('SIGUSR2');
    for (;;) {
      const [name] = (await readdir(folder)).filter((each) => each.endsWith('.heapsnapshot'));
      const text = name === undefined ? '' : await readFile(join(folder, name), 'utf8');
      // It is written from beginning to end.
      if (text.trimEnd().endsWith('}')) return text;
      await sleep(50);
    }
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

describe('A masking secret', () => {
  test('that the operator holds is in no string on the heap once the run is over, and nor is a password', async () => {
    // In letters, so that it would be found however it was kept.
    const secret = randomBytes(24).toString('hex');
    const { region, accessKeyId, secretAccessKey } = scene.stage.s3;
    const secrets = new SecretsManagerClient({
      region,
      endpoint: scene.stage.secretsManager.endpoint,
      credentials: { accessKeyId, secretAccessKey },
    });
    await secrets.send(new CreateSecretCommand({ Name: 'masks', SecretString: secret }));
    secrets.destroy();

    const heap = await heapAfterRun();
    // What has to be there is: the snapshot can be searched.
    expect(heap).toContain('compute_');
    expect(heap.includes(secret)).toBe(false);
    expect(heap.includes(Buffer.from(secret).toString('base64').slice(0, 40))).toBe(false);
    expect(heap.includes(Buffer.from(secret).toString('hex').slice(0, 60))).toBe(false);
    expect(heap.includes(db.rootPassword)).toBe(false);
  });
});
