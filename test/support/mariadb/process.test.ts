import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../until.ts';
import { startProcess } from './process.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-process-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A server that counts how often it is asked to end, and ends at the given request. */
const serverArgs = (endsAt: number): string[] => [
  '-c',
  `asked=0
   trap 'asked=$((asked + 1)); echo "$asked" >"$0/asked"; [ "$asked" -lt ${endsAt} ] || exit' TERM
   echo $$ >"$0/started"; mv "$0/started" "$0/pid"
   while :; do sleep 0.05; done`,
  folder,
];
const NEVER = 1e6;

/** The server's process id, once it has one. */
async function pidOf(): Promise<number> {
  await until(() => existsSync(join(folder, 'pid')));
  return Number(readFileSync(join(folder, 'pid'), 'utf8'));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a server whose files go is killed, and they are gone when it is stopped', async () => {
  const server = startProcess('sh', serverArgs(NEVER), {}, { discard: folder });
  const pid = await pidOf();
  expect(server.exited).toBe(false);
  await server.stop();
  expect([isAlive(pid), existsSync(folder)]).toEqual([false, false]);
});

test('a server whose files stay is asked to end, and asked again', async () => {
  const server = startProcess('sh', serverArgs(2), {});
  const pid = await pidOf();
  await server.stop();
  expect([isAlive(pid), readFileSync(join(folder, 'asked'), 'utf8')]).toEqual([false, '2\n']);
});

test('a server that never ends when it is asked is killed', async () => {
  const server = startProcess('sh', serverArgs(NEVER), {}, { asks: 2 });
  const pid = await pidOf();
  await server.stop();
  expect([isAlive(pid), readFileSync(join(folder, 'asked'), 'utf8')]).toEqual([false, '2\n']);
});

test('a server that ends by itself is said to have ended, and its files stay until it is stopped', async () => {
  const server = startProcess('sh', ['-c', 'exit 1'], {}, { discard: folder });
  await until(() => server.exited);
  expect(existsSync(folder)).toBe(true);
  await server.stop();
  await server.stop();
  expect(existsSync(folder)).toBe(false);
});

test('a server ends with the process that started it, and its files go, when that is killed', async () => {
  const module = JSON.stringify(new URL('process.ts', import.meta.url));
  const args = JSON.stringify(serverArgs(NEVER));
  const script = `
    import { startProcess } from ${module};
    startProcess('sh', ${args}, {}, { discard: ${JSON.stringify(folder)} });
    setInterval(() => undefined, 1000);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  const pid = await pidOf();
  starter.kill('SIGKILL');
  await until(() => !existsSync(folder));
  expect(isAlive(pid)).toBe(false);
});
