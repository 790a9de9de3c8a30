import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { type Problem, networkProblem } from '../source/network-problems.ts';

const TIMEOUT_MS = 10_000;

/** The addresses of a host; none if its name is unknown. */
export async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

/** Opens a connection and closes it again; returns the code of a failure, such as `ECONNREFUSED`. */
export async function reach(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  signal.throwIfAborted();
  const problem = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host, port, signal });
    socket.setTimeout(TIMEOUT_MS);
    socket.once('connect', () => resolve(undefined));
    socket.once('timeout', () => resolve('ETIMEDOUT'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(codeOfConnect(error)));
    socket.once('connect', () => socket.destroy());
    socket.once('timeout', () => socket.destroy());
  });
  signal.throwIfAborted();
  return problem;
}

/** If none of a name's addresses answers, Node collects the error of each. */
function codeOfConnect(error: NodeJS.ErrnoException): string {
  const [first] = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [error];
  return first?.code ?? error.code ?? error.name;
}

export function isLoopback(addresses: readonly string[]): boolean {
  return addresses.length > 0 && addresses.every((address) => /^127\.|^::1$|^::ffff:127\./.test(address));
}

/** `db.example:3306`, and for a name its addresses. */
export function placeOf(host: string, port: number, addresses: readonly string[]): string {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return isIP(host) !== 0 || addresses.length === 0 ? place : `${place} (${addresses.join(', ')})`;
}

export const UNKNOWN_HOST: Problem = networkProblem('ENOTFOUND')!;
