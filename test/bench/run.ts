/*
 * Runs one benchmark: `npm run bench -- NAME [ARGUMENT …]`, where NAME is a file beside this one; without a name,
 * `extraction`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Needs {
  /** Of Node. */
  readonly flags?: readonly string[];
  /** Whether the handlers run in this process, where what they log would hide the figures. */
  readonly silent?: boolean;
}

const BENCHMARKS: Readonly<Record<string, Needs>> = {
  extraction: {},
  memory: {},
  formats: {},
  statistics: { flags: ['--expose-gc'] },
  'window-cost': {},
  tables: {},
  'catch-up': { silent: true },
  // It compares the rows of a whole year.
  'backfill-year': { flags: ['--max-old-space-size=8192'], silent: true },
  'api-requests': {},
  distance: { silent: true },
  'load-time': {},
};

const SILENCE = { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' };

const [name = 'extraction', ...given] = process.argv.slice(2);
const needs = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
if (needs === undefined) {
  console.error(`bench: got ${JSON.stringify(name)}; accepted: ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exitCode = 2;
} else {
  const { flags = [], silent = false } = needs;
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, [...flags, file, ...given], {
    stdio: 'inherit',
    env: { ...process.env, ...(silent ? SILENCE : {}) },
  });
  process.exitCode = status ?? 1;
}
