import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** What happens before a step that changes something on the disk; it may throw, or never return. */
export type BeforeStep = (step: string) => void;

let before: BeforeStep | undefined;

/** Counts, from now on, what this process changes on the disk. */
export function watchSteps(hook: BeforeStep | undefined): void {
  before = hook;
}

type Method = (...args: unknown[]) => unknown;

function watched(name: string, method: Method): Method {
  return function (this: unknown, ...args: unknown[]) {
    before?.(`${name} ${typeof args[0] === 'string' ? args[0] : ''}`);
    return method.apply(this, args);
  };
}

const own = fs as unknown as Record<string, Method>;
const handle = await fs.open('/dev/null', 'r');
const handles = Object.getPrototypeOf(handle) as Record<string, Method>;
await handle.close();
for (const name of ['mkdir', 'rename', 'rm', 'open']) own[name] = watched(name, own[name] as Method);
for (const name of ['writeFile', 'sync']) handles[name] = watched(name, handles[name] as Method);
syncBuiltinESMExports();
