import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProgram, run } from './run.ts';
import { unpackedMariaDb } from './unpack.ts';

/** A MariaDB that can be run here, and how. */
export interface Binaries {
  server: string;
  installDb: string;
  /** Arguments that both programs need to find their own files. */
  args: string[];
  env: Record<string, string>;
  /** `10.11.19` */
  version: string;
}

const ADVICE =
  'No MariaDB server here: apt-get install mariadb-server-core mariadb-client-core, ' +
  'or set TEST_MARIADB_DSN=mysql://root:password@host:port to use one that runs';

let found: Promise<Binaries> | undefined;

/** The installed MariaDB, else a private unpacked copy, else an error that says what to install. */
export function findBinaries(): Promise<Binaries> {
  found ??= search();
  return found;
}

async function search(): Promise<Binaries> {
  const installed = await installedBinaries();
  if (installed !== undefined) return installed;
  let root: string | undefined;
  try {
    root = await unpackedMariaDb();
  } catch (error) {
    throw new Error(`${ADVICE} (a private copy could not be made: ${String(error)})`, { cause: error });
  }
  if (root === undefined) throw new Error(ADVICE);
  return unpackedBinaries(root);
}

async function installedBinaries(): Promise<Binaries | undefined> {
  const server = await findProgram('mariadbd', 'mysqld');
  const installDb = await findProgram('mariadb-install-db', 'mysql_install_db');
  if (server === undefined || installDb === undefined) return undefined;
  const version = mariaDbVersion(await run(server, ['--version']));
  return version === undefined ? undefined : { server, installDb, args: [], env: {}, version };
}

async function unpackedBinaries(root: string): Promise<Binaries> {
  const usr = join(root, 'usr');
  const server = join(usr, 'sbin', 'mariadbd');
  const env = { LD_LIBRARY_PATH: (await libraryFolders(join(usr, 'lib'))).join(':') };
  const messages = ['mariadb', 'mysql'].map((name) => join(usr, 'share', name));
  const args = [
    `--basedir=${usr}`,
    `--lc-messages-dir=${messages.find((folder) => existsSync(folder)) ?? join(usr, 'share', 'mysql')}`,
    `--plugin-dir=${join(usr, 'lib', 'mysql', 'plugin')}`,
  ];
  const version = mariaDbVersion(await run(server, ['--version'], env));
  if (version === undefined) throw new Error(`${server} is not a MariaDB server; delete ${dirname(root)}`);
  return { server, installDb: join(usr, 'bin', 'mariadb-install-db'), args, env, version };
}

/** `usr/lib` and its folders by architecture (`usr/lib/x86_64-linux-gnu`). */
async function libraryFolders(lib: string): Promise<string[]> {
  const inside = await readdir(lib, { withFileTypes: true });
  return [...inside.filter((entry) => entry.isDirectory()).map((entry) => join(lib, entry.name)), lib];
}

/** MySQL is no substitute: the tests want MariaDB's truncated times and its sequence tables. */
function mariaDbVersion(banner: string): string | undefined {
  return banner.includes('MariaDB') ? /Ver ([\d.]+)-/.exec(banner)?.[1] : undefined;
}
