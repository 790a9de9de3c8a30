// What the bundle costs at a cold start: the zip's size, and the time that a fresh process takes to load the
// bundled handler, against a handler that does nothing. Prints; asserts nothing.
//
//   node test/package/load-time.ts [runs]

import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packaged } from './packaged.ts';
import { unpack } from './zip.ts';

interface Sample {
  /** Milliseconds of the import() alone. */
  readonly load: number;
  /** Milliseconds of the whole process, Node's own start included. */
  readonly process: number;
}

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

    const ours: Sample[] = [];
    const hello: Sample[] = [];
    for (let run = 0; run <= runs; run += 1) {
      const pair = [sample(join(folder, 'ours')), sample(join(folder, 'hello'))] as const;
      if (run === 0) continue; // the first pair warms the disk's cache
      ours.push(pair[0]);
      hello.push(pair[1]);
    }

    console.log(`zip: ${(size / 1024).toFixed(0)} KiB`);
    console.log(`Node ${process.versions.node}, medians of ${runs} interleaved runs, milliseconds:`);
    report('load (import of the handler)', ours, hello, 'load');
    report('process (with the start of Node)', ours, hello, 'process');
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

function report(what: string, ours: Sample[], hello: Sample[], field: keyof Sample): void {
  const [a, b] = [median(ours.map((one) => one[field])), median(hello.map((one) => one[field]))];
  console.log(
    `  ${what}: ${a.toFixed(1)} against ${b.toFixed(1)} for hello-world, ratio ${(a / b).toFixed(2)}`,
  );
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
