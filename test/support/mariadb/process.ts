import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A shell that runs the server and waits for the end of its own standard input. The other end of that pipe is
 * this process: however it ends, also by SIGKILL, the server stops and its files go. Signal handlers here
 * could not promise that, and would change what Ctrl+C does.
 */
const KEEPER = `
exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ cat <&3 >/dev/null; kill "$server"; } &
wait "$server"; code=$?
[ "$code" != 0 ] || [ -z "$DISCARD" ] || rm -rf "$DISCARD"
exit "$code"`;

export interface ServerProcess {
  readonly exited: boolean;
  stop(): Promise<void>;
}

/** Starts a server; `discard` is the folder that is deleted once it has ended well. */
export function startProcess(
  program: string,
  args: string[],
  env: Record<string, string>,
  discard = '',
): ServerProcess {
  const child = spawn('sh', ['-c', KEEPER, 'sh', program, ...args], {
    env: { ...process.env, ...env, DISCARD: discard },
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own session: Ctrl+C reaches the server through the pipe, after this process is done with it.
    detached: true,
  });
  const ended = once(child, 'exit');
  let exited = false;
  child.once('exit', () => {
    exited = true;
    child.stdin.destroy();
  });
  child.unref();
  return {
    get exited() {
      return exited;
    },
    async stop() {
      child.ref();
      child.stdin.end();
      await ended;
    },
  };
}
