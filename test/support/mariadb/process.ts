import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';

/**
 * A shell that runs the server and waits for the end of its own standard input. The other end of that pipe is
 * this process: however it ends, also by SIGKILL, the server ends and its files go. Signal handlers here
 * could not promise that, and would change what Ctrl+C does.
 *
 * A mariadbd that gets SIGTERM just as it becomes ready hangs, and no later SIGTERM helps. So a server whose files
 * go is killed at once. One whose files stay is asked, asked again every second, and killed in the end.
 */
const KEEPER = `
exec 3<&0
"$@" </dev/null >/dev/null 3<&- & server=$!
trap '' PIPE
{
  cat <&3 >/dev/null
  asked=0
  while [ -z "$DISCARD" ] && [ "$asked" -lt "$ASKS" ]; do
    kill "$server"; asked=$((asked + 1)); sleep 1
  done
  kill -9 "$server"
} & stopper=$!
wait "$server"
kill "$stopper"
echo ended
cat <&3 >/dev/null
[ -z "$DISCARD" ] || rm -rf "$DISCARD"`;

export interface ServerProcess {
  readonly exited: boolean;
  /** Returns once the server has ended and its files are gone. */
  stop(): Promise<void>;
}

/** Seconds, and requests to end, before a server is killed whose files stay. */
const ASKS = 60;

/** Starts a server; `discard` is the folder that is deleted once it is stopped. */
export function startProcess(
  program: string,
  args: string[],
  env: Record<string, string>,
  { discard = '', asks = ASKS }: { discard?: string; asks?: number } = {},
): ServerProcess {
  const child = spawn('sh', ['-c', KEEPER, 'sh', program, ...args], {
    env: { ...process.env, ...env, DISCARD: discard, ASKS: String(asks) },
    stdio: ['pipe', 'pipe', 'ignore'],
    // Its own session: Ctrl+C reaches the server through the pipe, after this process is done with it.
    detached: true,
  });
  const ended = once(child, 'exit');
  let exited = false;
  child.stdout.once('data', () => {
    exited = true;
  });
  child.once('exit', () => {
    exited = true;
    child.stdin.destroy();
  });
  child.unref();
  // It is a pipe, whatever its type says, and must not keep this process alive.
  (child.stdout as Socket).unref();
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
