import { type Socket, connect, createServer } from 'node:net';
import { once } from 'node:events';
import { listenOnLoopback } from '../support/listen-on-loopback.ts';

/** Towards the server, or back to the client. */
export type Direction = 'up' | 'down';

/**
 * What happens to a connection at one byte of one direction.
 *
 * - `cut`: both sides are closed there; what came before arrives.
 * - `reset`: the same with RST, which may take away what came before.
 * - `truncate`: this direction ends there in an orderly way, as if the sender had said all.
 * - `delay`: nothing moves in this direction for `ms`.
 * - `stall`: nothing moves in this direction any more.
 * - `late`: the client is reset, and what it had sent arrives `ms` later, when nobody waits for an answer.
 * - `call`: something else is done first, `act`, with the port from which the proxy reaches the server.
 */
export type Trouble =
  | { kind: 'cut' | 'reset' | 'truncate' | 'stall' }
  | { kind: 'delay' | 'late'; ms: number }
  | { kind: 'call'; name: string; act: (localPort: number) => Promise<void> };

export type WireFault = Trouble & {
  /** Of the connections since the faults were set, the first is 0. */
  connection: number;
  direction: Direction;
  /** So many bytes go through before it. */
  atByte: number;
};

export interface Proxy {
  readonly port: number;
  /** What is to happen from the next connection on; what has not happened by now, does not any more. */
  set(faults: readonly WireFault[]): void;
  /** What has happened since `set`, with the last request line of HTTP seen on that connection. */
  met(): readonly { fault: WireFault; request: string }[];
  /** Waits until everything held back has arrived, and closes what is open. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** A TCP proxy on the loopback address; `target` is asked at every connection. */
export async function startProxy(target: () => { host: string; port: number }): Promise<Proxy> {
  let faults: readonly WireFault[] = [];
  let met: { fault: WireFault; request: string }[] = [];
  let connections = 0;
  const open = new Set<Socket>();
  const held = new Set<Promise<void>>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const own = faults.filter(({ connection }) => connection === connections);
    connections++;
    const upstream = connect({ ...target(), allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => open.delete(socket));
    }
    const seen = { request: '' };
    const take = (fault: WireFault): boolean => {
      if (!faults.includes(fault)) return false;
      met.push({ fault, request: seen.request });
      return true;
    };
    void relay({ from: client, to: upstream, direction: 'up', upstream, own, take, seen, held });
    void relay({ from: upstream, to: client, direction: 'down', upstream, own, take, seen, held });
  });
  const port = await listenOnLoopback(server);
  const settle = async (): Promise<void> => {
    await Promise.all(held);
    for (const socket of open) socket.destroy();
  };
  return {
    port,
    set(next) {
      faults = next;
      met = [];
      connections = 0;
    },
    met: () => met,
    settle,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      await settle();
      await closed;
    },
  };
}

interface Relay {
  from: Socket;
  to: Socket;
  direction: Direction;
  upstream: Socket;
  own: readonly WireFault[];
  /** Notes that a fault happens, if it still is to. */
  take: (fault: WireFault) => boolean;
  seen: { request: string };
  held: Set<Promise<void>>;
}

async function relay(relaying: Relay): Promise<void> {
  const { from, to, direction, upstream, own, take, seen, held } = relaying;
  const due = own.filter((fault) => fault.direction === direction).toSorted((a, b) => a.atByte - b.atByte);
  let passed = 0;
  // Either side may be closed under way; then there is nothing to pass on.
  const write = async (chunk: Buffer): Promise<void> => {
    passed += chunk.length;
    if (chunk.length > 0 && !to.destroyed && !to.write(chunk)) {
      await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => undefined);
    }
  };
  try {
    for await (const chunk of chunksOf(from)) {
      if (direction === 'up') seen.request = requestLine(chunk) ?? seen.request;
      let rest = chunk;
      for (let fault = due[0]; fault !== undefined; fault = due[0]) {
        const until = fault.atByte - passed;
        if (until > rest.length) break;
        await write(rest.subarray(0, until));
        rest = rest.subarray(Math.max(0, until));
        due.shift();
        if (!take(fault)) continue;
        if (fault.kind === 'delay') await sleep(fault.ms);
        else if (fault.kind === 'call') await fault.act(upstream.localPort ?? 0);
        else if (fault.kind === 'late' && direction === 'up') {
          const delivery = deliverLate(relaying, rest, fault.ms).finally(() => held.delete(delivery));
          held.add(delivery);
          return;
        } else return await endAs(fault.kind, from, to);
      }
      await write(rest);
    }
    to.end();
  } catch {
    // One side reset the connection, so the other sees that too.
    to.destroy();
  }
}

/** Until the client has sent what it was about to, which for a small request is at once. */
const GATHER_MS = 15;

async function deliverLate({ from, to }: Relay, rest: Buffer, ms: number): Promise<void> {
  const gathered = [rest];
  const gather = (chunk: Buffer): void => void gathered.push(chunk);
  from.on('data', gather);
  await sleep(GATHER_MS);
  from.off('data', gather);
  from.resetAndDestroy();
  await sleep(ms);
  if (to.destroyed) return;
  to.resume();
  to.write(Buffer.concat(gathered));
  await Promise.race([once(to, 'close').catch(() => undefined), sleep(60)]);
  to.destroy();
}

async function endAs(kind: WireFault['kind'], from: Socket, to: Socket): Promise<void> {
  if (kind === 'truncate' || kind === 'stall') {
    if (kind === 'truncate') to.end();
    // The sender can go on and nobody hears it.
    for await (const _ of chunksOf(from));
    to.destroy();
    return;
  }
  for (const socket of [from, to]) {
    if (kind === 'reset') socket.resetAndDestroy();
    else socket.destroySoon();
  }
}

/** Leaves the socket as it is when the loop is left. */
function chunksOf(socket: Socket): AsyncIterable<Buffer> {
  return socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

function requestLine(chunk: Buffer): string | undefined {
  const line = /^(GET|PUT|POST|HEAD|DELETE) (\S+) HTTP/.exec(chunk.subarray(0, 2000).toString('latin1'));
  return line === null ? undefined : `${line[1]} ${line[2]}`;
}

function sleep(ms: number): Promise<void> {
  // Not of node:timers/promises, which the tests speed up.
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
