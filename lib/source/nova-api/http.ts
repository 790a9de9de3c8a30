import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import { create, isAxiosError } from 'axios';
import type { ApiTls } from '../../connection/connection.ts';
import { SourceError } from '../../core/errors.ts';
import { knownAuthorities } from '../authorities.ts';
import { type Problem, networkProblem } from '../network-problems.ts';
import { type TlsWords, tlsKindOf, tlsProblem } from '../tls-problems.ts';
import { proxyVariable } from './proxy.ts';
import { isLast } from './retry.ts';

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
   * Sends a request once; every status is an answer.
   *
   * @throws SourceError if no complete answer came
   */
  send(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer>;
  /** Requests sent so far. */
  readonly requests: number;
}

/** A page of a thousand servers is about 3 MB. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

export function openHttp(tls: ApiTls): Http {
  // Uses the proxies of HTTP_PROXY and HTTPS_PROXY, except for hosts in NO_PROXY.
  const kept: AgentOptions = { keepAlive: true, proxyEnv: process.env, ...verification(tls) };
  const agents = { httpAgent: new HttpAgent(kept), httpsAgent: new HttpsAgent(kept) };
  const client = create({
    ...agents,
    // Callers judge the status, and a token must not follow a redirect to another host.
    validateStatus: () => true,
    maxRedirects: 0,
    responseType: 'text',
    transformResponse: (body: unknown) => body,
    maxContentLength: LARGEST_ANSWER,
  });
  let requests = 0;
  const answered = new Set<string>();
  return {
    get requests() {
      return requests;
    },
    async send({ method, url, headers, body, what, timeoutSeconds }, signal) {
      requests++;
      const started = performance.now();
      // The client's own time-out only limits silence: a page that arrives slowly would never end.
      using limited = limitedSignal(signal, timeoutSeconds);
      try {
        const answer = await client.request<string>({
          method,
          url,
          headers: { Accept: 'application/json', 'User-Agent': 'star-compactor', ...headers },
          signal: limited.signal,
          ...(body === undefined ? {} : { data: body }),
        });
        answered.add(new URL(url).host);
        return {
          status: answer.status,
          headers: answer.headers as Record<string, string>,
          body: answer.data,
          seconds: (performance.now() - started) / 1000,
        };
      } catch (error) {
        signal.throwIfAborted();
        if (!limited.signal.aborted) {
          throw failure(error, { what, url, tls, isKnown: answered.has(new URL(url).host) });
        }
        throw new SourceError(`${what}: ${new URL(url).origin}: no answer within ${timeoutSeconds} seconds`, {
          transient: true,
        });
      }
    },
    [Symbol.dispose]() {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

function verification(tls: ApiTls): AgentOptions {
  if (tls.mode === 'off') return { rejectUnauthorized: false };
  return { ca: tls.ca ?? knownAuthorities() };
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

/** Codes of the network for a host or a port that does not exist. */
const UNREACHABLE = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'];

const tlsProblems = new WeakMap<SourceError, Problem>();

/** The problem with TLS, if the error is about TLS. */
export function tlsProblemBehind(error: SourceError): Problem | undefined {
  return tlsProblems.get(error);
}

interface Failed {
  readonly what: string;
  readonly url: string;
  readonly tls: ApiTls;
  /** Whether anything ever answered there. */
  readonly isKnown: boolean;
}

function failure(error: unknown, { what, url, tls, isKnown }: Failed): SourceError {
  // The client's own error holds the request, and with it the password or the token.
  const cause = isAxiosError(error) ? error.cause : error;
  // Without the client's message, which may quote the request.
  const code =
    (isAxiosError(error) ? error.code : undefined) ?? (cause instanceof Error ? cause.name : 'unknown');
  const { origin, protocol } = new URL(url);
  const proxy = proxyVariable(url);
  const orProxy =
    proxy === undefined ? '' : `; ${proxy} is set: check that proxy, or name the host in NO_PROXY`;
  const tell = ({ found, remedy }: Problem, transient: boolean): SourceError =>
    new SourceError(`${what}: ${origin}: ${found} (${code}); ${remedy}${orProxy}`, { transient, cause });

  const kind = protocol === 'https:' && cause instanceof Error ? tlsKindOf(cause) : undefined;
  if (kind !== undefined && cause instanceof Error) {
    const problem = tlsProblem(kind, cause, wordsOf(tls));
    // Trying again does not mend a certificate, but may help with any other failure of a connection.
    const told = tell(problem, false);
    tlsProblems.set(told, { ...problem, found: `${problem.found} (${code})` });
    return told;
  }
  const network = networkProblem(code);
  if (protocol === 'http:' && !isKnown && (code === 'ECONNRESET' || code.startsWith('HPE_')))
    return isLast(tell(NO_PLAIN_TEXT, true));
  if (code === 'ERR_PROXY_TUNNEL') return isLast(tell(NO_TUNNEL, true));
  if (network === undefined) return tell(BROKEN, true);
  const told = tell(network, true);
  return isKnown || !UNREACHABLE.includes(code) ? told : isLast(told);
}

const BROKEN: Problem = {
  found: 'the connection failed',
  remedy: 'check the server there, and the proxies before it',
};
const NO_TUNNEL: Problem = { found: 'the proxy does not let it through', remedy: 'ask its administrators' };
const NO_PLAIN_TEXT: Problem = {
  found: 'the server there does not speak plain HTTP',
  remedy: 'use https:// in the URL if this is the port for TLS, or check host and port',
};

function wordsOf(tls: ApiTls): TlsWords {
  return {
    hasCa: tls.mode === 'verify' && tls.ca !== undefined,
    giveCa: 'as cacert (OS_CACERT)',
    otherName: 'use a URL with a name in the certificate',
    plainText: 'use http:// in the URL if plain text is intended, or check the port',
  };
}
