import { openFolder } from '../../../lib/store/folder/folder-store.ts';

/*
 * A process that counts in a folder, by compare-and-swap, until it has counted so far itself: `node counter.ts FOLDER
 * TIMES`. Each step also writes an object of a size that takes several writes.
 */

const [folder = '', times = '0'] = process.argv.slice(2);
const signal = new AbortController().signal;
await using store = await openFolder(folder, { create: false });
process.stdout.write('ready\n');
for (let done = 0; done < Number(times);) {
  const stored = await store.readText('counter.json', signal);
  const count = Number(stored?.text ?? '0') + 1;
  const expected = stored === undefined ? 'absent' : { version: stored.version };
  if ((await store.writeText('counter.json', String(count), expected, signal)) === undefined) continue;
  done++;
  await store.writeText(`data/${count}`, String(count).repeat(100_000), 'absent', signal);
}
