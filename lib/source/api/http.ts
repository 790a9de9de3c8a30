import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import { create, isAxiosError } from 'axios';
import type { OpenStackConnection } from '../../connection/connection.ts';
import { SourceError } from '../../errors.ts';

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object;
  /** What is asked for, for errors; a URL may hold the id of a server. */
  readonly what: string;
  readonly timeoutSeconds: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** From the request to the last byte. */
  readonly seconds: number;
}

/** One invocation's connections to the cloud, kept alive between requests. */
export interface Http extends Disposable {
  /**
   * Sends one request, once; every status is an answer.
   *
   * @throws SourceError where no whole answer came
   */
  send(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer>;
  /** Requests sent so far. */
  readonly requests: number;
}

/** A page of a thousand servers is about 3 MB. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

export function openHttp(tls: OpenStackConnection['tls']): Http {
  const kept: AgentOptions = { keepAlive: true, ...verification(tls) };
  const agents = { httpAgent: new HttpAgent(kept), httpsAgent: new HttpsAgent(kept) };
  const client = create({
    ...agents,
    // What the cloud answers is judged by the callers, and a token must not follow a redirect to another host.
    validateStatus: () => true,
    maxRedirects: 0,
    proxy: false,
    responseType: 'text',
    transformResponse: (body: unknown) => body,
    maxContentLength: LARGEST_ANSWER,
  });
  let requests = 0;
  return {
    get requests() {
      return requests;
    },
    async send({ method, url, headers, body, what, timeoutSeconds }, signal) {
      requests++;
      const started = performance.now();
      // The client's own time-out is one of silence: a page that trickles in would never end.
      using limited = limitedSignal(signal, timeoutSeconds);
      try {
        const answer = await client.request<string>({
          method,
          url,
          headers: { Accept: 'application/json', 'User-Agent': 'star-compactor', ...headers },
          signal: limited.signal,
          ...(body === undefined ? {} : { data: body }),
        });
        return {
          status: answer.status,
          headers: answer.headers as Record<string, string>,
          body: answer.data,
          seconds: (performance.now() - started) / 1000,
        };
      } catch (error) {
        signal.throwIfAborted();
        throw limited.signal.aborted
          ? new SourceError(`${what}: no answer within ${timeoutSeconds} seconds`, { transient: true })
          : failure(error, what);
      }
    },
    [Symbol.dispose]() {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

function verification(tls: OpenStackConnection['tls']): AgentOptions {
  if (tls.mode === 'off') return { rejectUnauthorized: false };
  return tls.ca === undefined ? {} : { ca: tls.ca };
}

function limitedSignal(signal: AbortSignal, seconds: number): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, seconds * 1000);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}

/** Certificates do not get better by asking again; everything else that happens to a connection may. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ERR_TLS|ERR_SSL|EPROTO/;

/** Whether a code of the network layer is about a certificate, or about TLS as such. */
export function isCertificateProblem(code: string): boolean {
  return CERTIFICATE.test(code);
}

function failure(error: unknown, what: string): SourceError {
  const code = isAxiosError(error) ? error.code : undefined;
  const isCertificate = code !== undefined && isCertificateProblem(code);
  // No message: a client's may quote what was sent.
  const detail = code ?? (error instanceof Error ? error.name : 'unknown');
  const remedy = isCertificate ? '; give the CA of the cloud (cacert, OS_CACERT) as the text of a PEM' : '';
  return new SourceError(`${what}: the connection failed (${detail})${remedy}`, {
    transient: !isCertificate,
    // The client's own error holds the request, and with it the password or the token.
    cause: isAxiosError(error) ? error.cause : error,
  });
}
