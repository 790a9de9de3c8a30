import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { withLock } from '../support/lock.ts';
import type { Json } from './resolve.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/**
 * Serverless listens for signals, and so goes on after Ctrl+C until it has loaded its modules or written its zip.
 * Without listeners a signal ends it at once. Where the process that started it has ended in another way, the channel
 * closes.
 */
const ENDS_WITH_US = `data:text/javascript,${encodeURIComponent(`
  for (const add of ['on', 'once', 'addListener']) {
    const original = process[add];
    process[add] = (name, listener) =>
      ['SIGINT', 'SIGTERM', 'SIGHUP'].includes(name) ? process : original.call(process, name, listener);
  }
  process.on('disconnect', () => process.exit());
  process.channel.unref();
`)}`;

/** Runs the real `serverless` where no AWS account can be found. */
export async function serverless(...args: string[]): Promise<Outcome> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
  const none = join(tmpdir(), 'no-such-file');
  const program = join(root, 'node_modules/serverless/bin/serverless.js');
  const child = spawn(process.execPath, ['--import', ENDS_WITH_US, program, ...args], {
    cwd: root,
    env: {
      ...env,
      AWS_SHARED_CREDENTIALS_FILE: none,
      AWS_CONFIG_FILE: none,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ended = new Promise<number | null>((done, failed) => child.on('error', failed).on('close', done));
  const [code, ...outputs] = await Promise.all([ended, text(child.stdout!), text(child.stderr!)]);
  return { code, output: outputs.join('') };
}

export interface Packaged {
  readonly templatePath: string;
  readonly zipPath: string;
  readonly template: Json;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/** What `npm run package` makes of the given parameters, in a folder of its own. */
export async function packaged(params: Readonly<Record<string, string>> = {}): Promise<Packaged> {
  const folder = await mkdtemp(join(tmpdir(), 'star-package-'));
  const given = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
  await mkdir(join(root, '.local'), { recursive: true });
  // Bundles are made in one folder of the project.
  const { code, output } = await withLock(join(root, '.local/package.lock'), () =>
    serverless('package', '--package', folder, ...given),
  );
  if (code !== 0) throw new Error(`serverless package failed:\n${output}`);
  const templatePath = join(folder, 'cloudformation-template-update-stack.json');
  return {
    templatePath,
    zipPath: join(folder, 'star-compactor.zip'),
    template: JSON.parse(await readFile(templatePath, 'utf8')),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
