import type { OpenStackConnection } from '../../connection/connection.ts';
import { SourceError } from '../../core/errors.ts';
import { parseJson, refuseStatus, statusCause, transientStatus } from './answers.ts';
import { computeEndpoint, exposedToken } from './catalogue.ts';
import { type Http, type HttpAnswer, openHttp } from './http.ts';
import { type Token, openKeystone } from './keystone.ts';
import { type Microversion, negotiate } from './microversion.ts';
import { retryAfter, withRetries } from './retry.ts';
import { type Throttle, openThrottle } from './throttle.ts';
import { type TokenKeeper, tokenKeeper } from './tokens.ts';

export interface NovaAnswer {
  readonly status: number;
  readonly json: unknown;
  /** How long the last attempt took. */
  readonly seconds: number;
  /** By the clock of the answering server; only some send it. */
  readonly date: string | undefined;
}

export interface NovaCall {
  /** Below the versioned endpoint, with a slash before. */
  readonly path: string;
  readonly query?: URLSearchParams;
  /** For errors: `Nova: the actions of a server`. */
  readonly what: string;
  /** Statuses that are answers, besides 200. */
  readonly accept?: readonly number[];
  readonly timeoutSeconds?: number;
}

/** Nova's API, authenticated, at one microversion, with as many requests at once as it can handle. */
export interface Nova extends Disposable {
  readonly microversion: Microversion;
  /** @throws SourceError if no acceptable answer came after all tries */
  get(call: NovaCall): Promise<NovaAnswer>;
  /** Requests sent so far, to Keystone too. */
  readonly requests: number;
}

const TIMEOUT_SECONDS = 60;

/**
 * @param concurrency most requests at once
 * @param warn called for conditions that are no errors but should be corrected
 */
export async function openNova(
  connection: OpenStackConnection,
  concurrency: number,
  signal: AbortSignal,
  warn: (text: string) => void = () => undefined,
): Promise<Nova> {
  const http = openHttp(connection.tls);
  try {
    const tokens = tokenKeeper(openKeystone(http, connection), signal);
    const token = await tokens.current();
    const endpoint = computeEndpoint(token.catalogue, connection);
    const exposed = exposedToken(connection.authUrl, endpoint);
    if (exposed !== undefined) warn(exposed);
    const { url, microversion } = await negotiate(http, endpoint, token.id, signal);
    const throttle = openThrottle(concurrency, signal);
    return {
      microversion,
      get requests() {
        return http.requests;
      },
      get: (call) => get({ http, tokens, throttle, url, microversion, signal }, call),
      [Symbol.dispose]: () => http[Symbol.dispose](),
    };
  } catch (error) {
    http[Symbol.dispose]();
    throw error;
  }
}

interface Session {
  readonly http: Http;
  readonly tokens: TokenKeeper;
  readonly throttle: Throttle;
  readonly url: string;
  readonly microversion: Microversion;
  readonly signal: AbortSignal;
}

async function get(session: Session, call: NovaCall): Promise<NovaAnswer> {
  const { tokens, throttle, signal } = session;
  let refused = 0;
  return withRetries(async () => {
    for (;;) {
      const { token, answer } = await throttle.run(async () => {
        const current = await tokens.current();
        return { token: current, answer: await send(session, call, current) };
      });
      if (answer.status !== 401) {
        tokens.accepted(token);
        return answerOf(answer, call);
      }
      // A token that worked before was revoked, or expired early; one that never worked is tried twice.
      if (!tokens.discard(token) && ++refused === 2) return answerOf(answer, call);
    }
  }, signal);
}

async function send(
  { http, throttle, url, microversion, signal }: Session,
  { path, query, what, timeoutSeconds = TIMEOUT_SECONDS }: NovaCall,
  token: Token,
): Promise<HttpAnswer> {
  signal.throwIfAborted();
  const started = performance.now();
  const search = query === undefined || query.size === 0 ? '' : `?${query.toString()}`;
  const headers = {
    'X-Auth-Token': token.id,
    // The first is understood from 2.27 on, the second since 2.1 ("Compute API microversions").
    'OpenStack-API-Version': `compute ${microversion}`,
    'X-OpenStack-Nova-API-Version': microversion,
  };
  try {
    const answer = await http.send(
      { method: 'GET', url: `${url}${path}${search}`, headers, what, timeoutSeconds },
      signal,
    );
    if (transientStatus(answer.status)) {
      throttle.slowDown(started, retryAfter(answer.headers['retry-after'], Date.now()));
    }
    return answer;
  } catch (error) {
    throttle.slowDown(started);
    throw error;
  }
}

function answerOf(answer: HttpAnswer, { what, accept = [] }: NovaCall): NovaAnswer {
  const { status, seconds } = answer;
  const date = answer.headers['date'];
  if (status === 200) return { status, json: parseJson(what, answer.body), seconds, date };
  if (accept.includes(status)) return { status, json: undefined, seconds, date };
  if (status === 401) {
    throw new SourceError(`${what}: the token is refused (401), and so is a new one`, {
      transient: false,
      cause: statusCause(401),
    });
  }
  if (status === 403) {
    throw new SourceError(
      `${what}: this user may not see that (403); accepted: a user with the role that Nova's policy asks for ` +
        '(admin, unless the policy was changed)',
      { transient: false, cause: statusCause(403) },
    );
  }
  throw refuseStatus(what, answer);
}
