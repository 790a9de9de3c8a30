import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Runs a program to its end and gives its standard output; what it said last is in the error if it failed. */
export function run(program: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 64 << 20 };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = (stderr || stdout || error.message).trim().split('\n').slice(-3).join(' ');
      return reject(new Error(`${program} failed: ${said}`, { cause: error }));
    });
  });
}

/** The first of these programs in PATH or in the folders for daemons, which an ordinary user's PATH leaves out. */
export async function findProgram(...names: string[]): Promise<string | undefined> {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const daemons = ['/usr/sbin', '/usr/local/sbin', '/usr/libexec'];
  for (const name of names) {
    for (const folder of [...path, ...daemons]) {
      const file = join(folder, name);
      if (await isExecutable(file)) return file;
    }
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
