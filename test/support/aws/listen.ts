import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { errorCode } from './errno.ts';
import { listenOnLoopback } from '../listen-on-loopback.ts';

export interface Listening {
  endpoint: string;
  stop(): Promise<void>;
}

/** PEM of a server's certificate and its key. */
export interface ServerCertificate {
  cert: string;
  key: string;
}

/** Serves on the loopback address; port 0 takes a free one. `handle` must not reject. */
export async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  port = 0,
  certificate?: ServerCertificate,
): Promise<Listening> {
  const running = new Set<Promise<void>>();
  const accept = (request: IncomingMessage, response: ServerResponse): void => {
    const handled = handle(request, response).finally(() => running.delete(handled));
    running.add(handled);
  };
  const server = certificate === undefined ? createServer(accept) : createTlsServer(certificate, accept);
  // Above the idle time of any client's pool: a client that reuses a connection must not meet its end.
  server.keepAliveTimeout = 120_000;
  const taken = await listenOnLoopback(server, port);
  const scheme = certificate === undefined ? 'http' : 'https';
  return { endpoint: `${scheme}://127.0.0.1:${taken}`, stop: () => stop(server, running) };
}

async function stop(server: Server, running: Set<Promise<void>>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.close((error) => {
      // Stopping twice is not an error: tests stop a server by hand and again in their clean-up.
      if (error && errorCode(error) !== 'ERR_SERVER_NOT_RUNNING') reject(error);
      else resolve();
    });
    server.closeAllConnections();
  });
  // A request cut off by this has still to clear away what it had begun.
  await Promise.all(running);
}
