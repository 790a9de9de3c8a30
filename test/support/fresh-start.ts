import { vi } from 'vitest';

/*
 * Runs before each test file. Most files of a worker share its process and its modules (`vitest.config.ts` says why), so
 * what an earlier one left in the environment or replaced is put back.
 */

const ENVIRONMENT = Symbol.for('star-compactor: environment of the worker');

const worker = globalThis as { [ENVIRONMENT]?: NodeJS.ProcessEnv };
const first = (worker[ENVIRONMENT] ??= { ...process.env });

vi.useRealTimers();
vi.restoreAllMocks();
vi.unstubAllGlobals();
// It puts back what a file found, which may be of an earlier one.
vi.unstubAllEnvs();
for (const name of Object.keys(process.env)) if (!(name in first)) delete process.env[name];
Object.assign(process.env, first);
