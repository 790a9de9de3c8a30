import { readdir, readlink, stat } from 'node:fs/promises';
import { setInterval as every } from 'node:timers/promises';

/**
 * The most bytes that a process has in temporary files at once, by looking ten times a second. Its temporary files have
 * no names, so only its open files tell; on Linux.
 */
export async function watchTemporary(pid: number, signal: AbortSignal): Promise<number> {
  let most = 0;
  try {
    for await (const _ of every(100, undefined, { signal })) most = Math.max(most, await temporaryBytes(pid));
  } catch {
    // The end of it.
  }
  return most;
}

async function temporaryBytes(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const file = `${folder}/${name}`;
    const target = await readlink(file).catch(() => '');
    if (target.endsWith(' (deleted)'))
      bytes += await stat(file)
        .then(({ size }) => size)
        .catch(() => 0);
  }
  return bytes;
}
