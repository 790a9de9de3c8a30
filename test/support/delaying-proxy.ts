import { type Socket, createConnection, createServer } from 'node:net';
import { listenOnLoopback } from './listen-on-loopback.ts';

export interface DelayingProxy {
  readonly port: number;
  stop(): Promise<void>;
}

/** Passes bytes on to a port of 127.0.0.1 and back, each half a round trip later, as a server far away would. */
export async function startDelayingProxy(to: number, roundTripMs: number): Promise<DelayingProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection({ host: '127.0.0.1', port: to });
    for (const socket of [near, far]) {
      sockets.add(socket.setNoDelay(true).on('close', () => sockets.delete(socket)));
      socket.on('error', () => void (near.destroy(), far.destroy()));
    }
    passOn(near, far, roundTripMs / 2);
    passOn(far, near, roundTripMs / 2);
  });
  return {
    port: await listenOnLoopback(server),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function passOn(from: Socket, to: Socket, ms: number): void {
  // Timers of one length go off in the order in which they were set.
  from.on('data', (bytes) => setTimeout(() => void (to.destroyed || to.write(bytes)), ms));
  from.on('end', () => setTimeout(() => void to.end(), ms));
}
