import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { CACHE } from './folders.ts';
import { withLock } from '../lock.ts';
import { run } from './run.ts';

/** Fills `folder` with an empty server's files: a copy of a template, which is initialised once per version. */
export async function createDatadir(binaries: Binaries, folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const template = join(CACHE, `datadir-template-${binaries.version}`);
  if (!existsSync(template)) {
    await withLock(`${template}.lock`, async () => {
      if (!existsSync(template)) await initialise(binaries, template);
    });
  }
  await cp(template, folder, { recursive: true });
}

async function initialise(binaries: Binaries, template: string): Promise<void> {
  const work = await mkdtemp(join(CACHE, 'datadir-'));
  try {
    const datadir = join(work, 'data');
    await run(
      'sh',
      [
        binaries.installDb,
        '--no-defaults',
        ...binaries.args,
        `--datadir=${datadir}`,
        // Not the common one, where it would delete the temporary tables of servers that run.
        `--tmpdir=${work}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        '--skip-log-bin',
        // The redo log is most of an empty server (96 MB by default); every copy would carry it.
        '--innodb-log-file-size=8M',
        ...asRoot(),
      ],
      binaries.env,
    );
    await rename(datadir, template);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** MariaDB refuses to run as root unless told to. */
export function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}
