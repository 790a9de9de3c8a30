import { text } from 'node:stream/consumers';
import { type Listening, listen } from '../aws/listen.ts';

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
): Promise<Listening> {
  return listen(async (request, response) => {
    try {
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
    } catch {
      response.destroy();
    }
  });
}
