import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Answer } from './answers.ts';
import { HTML, htmlPage } from './answers.ts';
import type { OpenStackFault, RequestRecord } from './requests.ts';

export function send(
  response: ServerResponse,
  { status, headers, body }: Answer,
  ids: OutgoingHttpHeaders,
  record: RequestRecord,
): void {
  const bytes = bytesOf(body);
  record.status = status;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    ...ids,
    ...headers,
  });
  response.end(bytes);
}

/** @param answer what would have been sent; needed where it is cut */
export function sendFault(
  response: ServerResponse,
  fault: OpenStackFault,
  answer: Answer | undefined,
  ids: OutgoingHttpHeaders,
  record: RequestRecord,
): void {
  if ('reset' in fault) reset(response);
  else if ('garbage' in fault) {
    const page = htmlPage('Welcome', 'This is a page of a load balancer, not of an API.');
    send(response, { status: 200, headers: HTML, body: page }, ids, record);
  } else if ('truncate' in fault) {
    const bytes = bytesOf(answer?.body);
    record.status = answer?.status ?? 200;
    response.writeHead(record.status, {
      'content-type': 'application/json',
      'content-length': bytes.length,
      ...ids,
      ...answer?.headers,
    });
    response.write(bytes.subarray(0, fault.truncate), () => response.destroy());
  } else send(response, { body: '', ...fault }, ids, record);
}

/** Only a plain connection can be reset; an encrypted one just ends. */
function reset({ socket }: ServerResponse): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket?.resetAndDestroy();
}

function bytesOf(body: unknown): Buffer {
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? ''));
}
