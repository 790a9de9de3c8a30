import type { OutgoingHttpHeaders } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

/** A request as the services see it. */
export interface Call {
  readonly method: string;
  /** `http://127.0.0.1:1234`: scheme and host as the client knows them. */
  readonly origin: string;
  /** Of the path, below the service's own: `['v2.1', 'servers']`. */
  readonly segments: readonly string[];
  readonly params: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Ends a delay when the client goes away. */
  readonly signal: AbortSignal;
}

/** A string is sent as it is, anything else as JSON. */
export interface Answer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body: unknown;
}

export function htmlPage(title: string, text: string): string {
  return `<html>\n <head>\n  <title>${title}</title>\n </head>\n <body>\n  <h1>${title}</h1>\n  ${text}<br /><br />\n\n\n\n </body>\n</html>`;
}

export const HTML = { 'content-type': 'text/html; charset=UTF-8' };
