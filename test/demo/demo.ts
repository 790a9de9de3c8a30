import { join, relative } from 'node:path';
import { filesOf } from '../../lib/drop/manifest.ts';
import { DAY, MINUTE, type Seconds } from '../../lib/core/time.ts';
import { layoutOf } from '../../lib/store/layout.ts';
import { type Drop, listKeys, readDrops } from '../support/drops.ts';
import { BUCKET } from '../support/stage.ts';
import { checkDrops } from './check.ts';
import { runMornings } from './mornings.ts';
import { reservedLine } from './reserved.ts';
import { CLOUD, type DemoOptions, setUp } from './setting.ts';
import { manifestLines, rowLines, treeOf } from './show.ts';
import { columns, count, dim, heading } from './text.ts';
import { utilisationLine } from './utilisation.ts';

/** From a cloud's databases to what an analyst finds in the bucket: five mornings of a deployed function. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { print, signal } = options;
  const mornings = fiveMornings(Date.now() / 1000);
  const setting = await setUp(options, mornings);
  await runMornings(setting, mornings, options);

  const { client } = setting.stage;
  const drops = await readDrops(client);
  const [first, last] = [drops[0], drops.at(-1)];
  if (first === undefined || last === undefined) throw new Error('nothing landed in the bucket');
  const bucket = join(options.folder, 's3', BUCKET);
  print('');
  print(heading(`What landed in s3://${BUCKET}`));
  for (const line of await treeOf(bucket, await listKeys(client))) print(`  ${line}`);
  showLast(last, print);
  print('');
  print(heading(`Its tables, and what they tell of ${last.manifest.window.start.slice(0, 10)}`));
  for (const [name, { kind, counts }] of Object.entries(last.manifest.tables))
    print(`  ${columns([name, count(counts.rows), dim(kind)], [16, -9])}`);
  print(`  ${options.machines === 'baremetal' ? reservedLine(last) : utilisationLine(last)}`);

  signal.throwIfAborted();
  const [from, until] = [first.manifest.window.start, last.manifest.window.end].map(
    (time) => Date.parse(time) / 1000,
  );
  const finished = await setting.cloud.finished(from ?? 0, until ?? 0);
  print('');
  print(heading('Checked against the databases'));
  for (const line of checkDrops(drops, finished, setting.cloud.identifiers)) print(`  ${line}`);

  print('');
  print(heading('Yours to open, until the next npm start'));
  print(`  ${shown(bucket)}/`);
  print(`  ${shown(join(bucket, layoutOf({ prefix: '', cloud: CLOUD }).index))}  ${dim('in a browser')}`);
  print(`  zcat ${shown(join(bucket, filesOf(last.manifest)[0]?.key ?? ''))} | head`);
  print(`  ${dim(`what the function logged: ${shown(join(options.folder, 'function.log'))}`)}`);
}

/** 00:45 UTC of the last five days on which it has been 00:45, as the template's schedule has it. */
function fiveMornings(now: Seconds): Seconds[] {
  const at = 45 * MINUTE;
  const last = Math.floor((now - at) / DAY) * DAY + at;
  return [4, 3, 2, 1, 0].map((days) => last - days * DAY);
}

function showLast({ manifest, rows }: Drop, print: DemoOptions['print']): void {
  const date = manifest.window.start.slice(0, 10);
  print('');
  print(heading(`The manifest of ${date}, written last: what it lists is there`));
  for (const line of manifestLines(manifest, '  ')) print(line);
  print('');
  print(heading(`The first rows of ${date}: a day has what finished on it, whenever it began`));
  for (const line of rowLines(rows['csv'] ?? [], '  ')) print(line);
}

/** A path as one would type it here. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
