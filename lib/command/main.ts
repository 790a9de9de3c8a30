import type { CloudConnection } from '../connection/connection.ts';
import { InputError, StoppedError } from '../core/errors.ts';
import type { DumpArguments } from './dump-options.ts';
import { EXIT, statusOf, tellingOf } from './exit.ts';
import { makeProgram } from './program.ts';
import { say } from './terminal.ts';

/**
 * The entry point of the command line: runs what the arguments ask for. A command's code is loaded when it is asked for, so
 * that help costs little.
 *
 * @param args without the program's own name
 * @returns the exit status
 */
export async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stop.abort(new StoppedError(name)));
  }
  // Writing the dump reports what is lost there.
  process.stdout.on('error', () => undefined);

  const dumpFrom = async (
    path: string,
    given: DumpArguments,
    connect: () => Promise<CloudConnection>,
  ): Promise<void> => {
    const { readDumpOptions } = await import('./dump-options.ts');
    const options = await readDumpOptions(path, given, Math.floor(Date.now() / 1000));
    const { dump } = await import('./dump.ts');
    await dump(path, options, connect, stop.signal);
  };
  let status: number = EXIT.done;
  let remains = 'nothing was left behind';
  const program = makeProgram({
    dumpDatabase: (path, given, options) =>
      dumpFrom(path, given, async () =>
        (await import('./database-connection.ts')).connectionToDatabases(options),
      ),
    dumpApi: (path, given, options) =>
      dumpFrom(path, given, async () =>
        (await import('./openstack-connection.ts')).connectionToOpenStack(options),
      ),
    async doctor(secret, given, options) {
      const { doctor } = await import('./doctor.ts');
      status = await doctor(secret, given, options, stop.signal);
    },
    async publish(options, cloud) {
      if (options['status'] === true) {
        const { tellStatus } = await import('./status.ts');
        status = await tellStatus(options, stop.signal);
      } else {
        remains = PUBLISHED;
        const { publish } = await import('./publish.ts');
        status = await publish(options, cloud, stop.signal);
      }
    },
    async backfill(options, cloud) {
      remains = PUBLISHED;
      const { backfill } = await import('./backfill.ts');
      status = await backfill(options, cloud, stop.signal);
    },
    async verify(options) {
      const { verify } = await import('./verify.ts');
      status = await verify(options, stop.signal);
    },
  });
  try {
    refusePasswords(args);
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    const cause = stop.signal.aborted ? stop.signal.reason : error;
    const telling = tellingOf(cause, args.includes('--debug'));
    const after = cause instanceof StoppedError ? `; ${remains}` : '';
    if (telling !== undefined) say(`star-compactor: ${telling}${after}`);
    return statusOf(cause);
  }
}

const PUBLISHED = 'published windows stay, and the same command goes on';

/** The mysql client accepts `-pPASSWORD`, which everybody on the machine can see. The message does not repeat it. */
function refusePasswords(args: readonly string[]): void {
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  if (!options.some((arg) => /^(-p.|--password=)/s.test(arg))) return;
  throw new InputError(
    '-p: takes no password, because everybody on this machine could see it; accepted: -p alone, which asks for it, ' +
      '--password-file FILE, or MYSQL_PWD',
  );
}
