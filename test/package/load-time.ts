// What the bundle costs at a cold start: the zip's size, and the time that a fresh process takes to load the
// bundled handler, against a handler that does nothing and against one bundled as bundlers do by themselves: both
// sources' libraries and the SDK, imported at the top, in one CommonJS file. Prints; asserts nothing.
//
//   node test/package/load-time.ts [runs]

import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { packaged } from './packaged.ts';
import { unpack } from './zip.ts';

interface Sample {
  /** Milliseconds of the import() alone. */
  readonly load: number;
  /** Milliseconds of the whole process, Node's own start included. */
  readonly process: number;
}

const ROOT = new URL('../..', import.meta.url).pathname;
const NAIVE = `
  import axios from 'axios';
  import mysql from 'mysql2';
  import { stringify } from 'csv-stringify';
  import { S3Client } from '@aws-sdk/client-s3';
  import { Upload } from '@aws-sdk/lib-storage';
  import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
  import { Logger } from '@aws-lambda-powertools/logger';
  import { Metrics } from '@aws-lambda-powertools/metrics';
  import { z } from 'zod';
  export const handler = async () => [axios, mysql, stringify, S3Client, Upload, SecretsManagerClient, Logger, Metrics, z];
`;
const HELLO = 'export const handler = async () => ({ hello: "world" });\n';

await measure(Number(process.argv[2] ?? 15));

async function measure(runs: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'star-load-'));
  try {
    await using made = await packaged();
    const { size } = await stat(made.zipPath);
    await unpack(made.zipPath, join(folder, 'ours'));
    await mkdir(join(folder, 'hello/handlers'), { recursive: true });
    await writeFile(join(folder, 'hello/package.json'), '{"type":"module"}\n');
    await writeFile(join(folder, 'hello/handlers/scheduled.js'), HELLO);

    await build({
      stdin: { contents: NAIVE, resolveDir: ROOT },
      outfile: join(folder, 'naive/handlers/scheduled.js'),
      bundle: true,
      platform: 'node',
      logLevel: 'error',
    });
    await writeFile(join(folder, 'naive/package.json'), '{"type":"commonjs"}\n');

    const [ours, hello, naive]: [Sample[], Sample[], Sample[]] = [[], [], []];
    for (let run = 0; run <= runs; run += 1) {
      const [first, second, third] = [
        sample(join(folder, 'ours')),
        sample(join(folder, 'hello')),
        sample(join(folder, 'naive')),
      ];
      if (run === 0) continue; // the first ones warm the disk's cache
      ours.push(first);
      hello.push(second);
      naive.push(third);
    }

    console.log(`zip: ${(size / 1024).toFixed(0)} KiB`);
    console.log(`Node ${process.versions.node}, medians of ${runs} interleaved runs, milliseconds:`);
    for (const [what, other] of [
      ['hello-world', hello],
      ['a naive bundle', naive],
    ] as const) {
      report('load (import of the handler)', ours, what, other, 'load');
      report('process (with the start of Node)', ours, what, other, 'process');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function sample(folder: string): Sample {
  const url = pathToFileURL(join(folder, 'handlers/scheduled.js')).href;
  const script = `const t = performance.now(); await import('${url}'); console.log(performance.now() - t); process.exit()`;
  const began = performance.now();
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return { load: Number(child.stdout), process: performance.now() - began };
}

function report(what: string, ours: Sample[], name: string, other: Sample[], field: keyof Sample): void {
  const [a, b] = [median(ours.map((one) => one[field])), median(other.map((one) => one[field]))];
  console.log(`  ${what}: ${a.toFixed(1)} against ${b.toFixed(1)} for ${name}, ratio ${(a / b).toFixed(2)}`);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
