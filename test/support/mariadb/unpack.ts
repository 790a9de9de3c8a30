import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CACHE } from './folders.ts';
import { withLock } from '../lock.ts';
import { findProgram, run } from './run.ts';

const PACKAGES = ['mariadb-server-core', 'mariadb-client-core'];

/**
 * A private copy of the distribution's own MariaDB, fetched and verified by apt and unpacked beside the
 * project: no root, no installed service, nothing outside the project's ignored folder. About 60 MB, made once.
 * Gives the folder that stands for `/`, or undefined where there is no apt.
 */
export async function unpackedMariaDb(): Promise<string | undefined> {
  const root = join(CACHE, 'root');
  if (existsSync(root)) return root;
  if ((await findProgram('apt-get')) === undefined || (await findProgram('dpkg-deb')) === undefined) {
    return undefined;
  }
  await mkdir(CACHE, { recursive: true });
  return withLock(join(CACHE, 'unpack.lock'), async () => {
    if (!existsSync(root)) await unpack(root);
    return root;
  });
}

async function unpack(root: string): Promise<void> {
  const work = await mkdtemp(join(CACHE, 'unpack-'));
  try {
    const apt = await ownApt(work);
    await run('apt-get', [...apt, 'update']);
    // apt resolves what these need and this machine lacks, so that no release's package names stand here.
    await run('apt-get', [
      ...apt,
      '--yes',
      '--download-only',
      '--no-install-recommends',
      'install',
      ...PACKAGES,
    ]);
    const archives = await readdir(join(work, 'archives'));
    await mkdir(join(work, 'root'));
    for (const archive of archives.filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['--extract', join(work, 'archives', archive), join(work, 'root')]);
    }
    await rename(join(work, 'root'), root).catch((error: unknown) => {
      if (!existsSync(root)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Options that give apt its own state and cache, so that it needs neither root nor the machine's locks. The list
 * of installed packages is a copy of the machine's: only what is missing here is fetched, never libc.
 */
async function ownApt(folder: string): Promise<string[]> {
  await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
  await mkdir(join(folder, 'archives', 'partial'), { recursive: true });
  await copyFile('/var/lib/dpkg/status', join(folder, 'status'));
  const options = {
    'Dir::State': folder,
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::State::extended_states': join(folder, 'extended_states'),
    'Dir::Cache': folder,
    'Dir::Cache::archives': join(folder, 'archives'),
    'Dir::Log': folder,
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
  };
  return ['-qq', ...Object.entries(options).map(([name, value]) => `--option=${name}=${value}`)];
}
