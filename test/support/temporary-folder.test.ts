import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from './until.ts';

const SETUP = JSON.stringify(new URL('temporary-folder.ts', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'of-worker-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('the temporary files of this file lie below the worker’s folder', () => {
  expect(tmpdir()).toMatch(/\/star-[0-9a-f]{8}$/);
});

test.each(['SIGINT', 'SIGKILL'] as const)(
  'a worker’s temporary files go when it ends by %s',
  async (signal) => {
    const script = `
    import ${SETUP};
    import { mkdtempSync, writeFileSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    writeFileSync(mkdtempSync(tmpdir() + '/own-') + '/file', 'text');
    console.log('written');
    setInterval(() => undefined, 1000);`;
    const env = { ...process.env, TMPDIR: folder };
    const worker = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(worker.stdout, 'data');
    await writeFile(join(folder, 'not its own'), '');
    const [own = ''] = (await readdir(folder)).filter((name) => name.startsWith('star-'));
    expect(await readdir(join(folder, own))).toHaveLength(1);
    worker.kill(signal);
    await until(() => !existsSync(join(folder, own)));
    expect(await readdir(folder)).toEqual(['not its own']);
  },
);
