import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Forwarder {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** Of a request, these say how it came here. */
const OF_THE_WAY = new Set(['host', 'connection', 'content-length']);
/** Of an answer, those that a client of OpenStack looks at. */
const ANSWERED = ['x-subject-token', 'openstack-api-version', 'date'];

/**
 * Hands every request on to a server of OpenStack, and what `change` makes of its body back.
 *
 * @param origin scheme, host and port
 */
export async function startForwarder(
  origin: string,
  change: (body: string, headers: Headers) => string,
): Promise<Forwarder> {
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const headers = Object.entries(request.headers).filter(([name]) => !OF_THE_WAY.has(name));
      const found = await fetch(`${origin}${request.url}`, {
        method: request.method ?? 'GET',
        headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
        ...(body === '' ? {} : { body }),
      });
      const changed = change(await found.text(), found.headers);
      const kept = ANSWERED.flatMap((name): [string, string][] => {
        const value = found.headers.get(name);
        return value === null ? [] : [[name, value]];
      });
      response.writeHead(found.status, { 'content-type': 'application/json', ...Object.fromEntries(kept) });
      response.end(changed);
    })().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}
