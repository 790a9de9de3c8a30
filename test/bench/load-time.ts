// What the bundle costs at a cold start: the zip's size, and the time that a fresh process takes to load the
// bundled handler, against a handler that does nothing and against one bundled as bundlers do by themselves: both
// sources' libraries and the SDK, imported at the top, in one CommonJS file. Prints; asserts nothing.
//
//   npm run bench -- load-time [RUNS]

import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { median, table } from './subject.ts';
import { packaged } from '../package/packaged.ts';
import { unpack } from '../package/zip.ts';

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

    const [database] = await readdir(join(folder, 'ours/chunks')).then((names) =>
      names.filter((name) => /^nova-db-.*\.js$/.test(name)).map((name) => `chunks/${name}`),
    );
    const subjects: { what: string; folder: string; also?: string | undefined; samples: Sample[] }[] = [
      { what: 'ours', folder: 'ours', samples: [] },
      { what: 'ours and its database source', folder: 'ours', also: database, samples: [] },
      { what: 'hello-world', folder: 'hello', samples: [] },
      { what: 'a naive bundle', folder: 'naive', samples: [] },
    ];
    for (let run = 0; run <= runs; run += 1) {
      for (const subject of subjects) {
        const taken = sample(join(folder, subject.folder), subject.also);
        // The first ones warm the disk's cache.
        if (run > 0) subject.samples.push(taken);
      }
    }

    console.log(`zip: ${(size / 1024).toFixed(0)} KiB`);
    console.log(`Node ${process.versions.node}, medians of ${runs} interleaved runs, milliseconds:`);
    const of = (samples: readonly Sample[], field: keyof Sample): number =>
      median(samples.map((one) => one[field]));
    const naive = subjects.at(-1)?.samples ?? [];
    console.log(
      table(
        subjects.map(({ what, samples }) => ({
          '': what,
          load: of(samples, 'load').toFixed(1),
          ratio: (of(samples, 'load') / of(naive, 'load')).toFixed(2),
          'with the start of Node': of(samples, 'process').toFixed(1),
          'ratio ': (of(samples, 'process') / of(naive, 'process')).toFixed(2),
        })),
      ),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function sample(folder: string, also?: string): Sample {
  const imports = ['handlers/scheduled.js', ...(also === undefined ? [] : [also])]
    .map((file) => `await import('${pathToFileURL(join(folder, file)).href}');`)
    .join(' ');
  const script = `const t = performance.now(); ${imports} console.log(performance.now() - t); process.exit()`;
  const began = performance.now();
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return { load: Number(child.stdout), process: performance.now() - began };
}
