import { SourceError } from '../../core/errors.ts';
import { parseJson, refuseStatus, statusCause, transientStatus } from './answers.ts';
import type { Http, HttpAnswer } from './http.ts';
import type { Token } from './keystone.ts';
import { retryAfter, withRetries } from './retry.ts';
import type { Throttle } from './throttle.ts';
import type { TokenKeeper } from './tokens.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly json: unknown;
  /** How long the last attempt took. */
  readonly seconds: number;
  /** By the clock of the answering server; only some send it. */
  readonly date: string | undefined;
}

export interface ApiCall {
  /** Below the versioned endpoint, with a slash before. */
  readonly path: string;
  readonly query?: URLSearchParams;
  /** For errors: `Nova: the actions of a server`. */
  readonly what: string;
  /** Statuses that are answers, besides 200. */
  readonly accept?: readonly number[];
  readonly timeoutSeconds?: number;
}

/** One service of the cloud, authenticated. */
export interface Api {
  /** @throws SourceError if no acceptable answer came after all tries */
  get(call: ApiCall): Promise<ApiAnswer>;
}

/** Shared by all services of a cloud: connections, the token, and the limit of requests at once. */
export interface Session {
  readonly http: Http;
  readonly tokens: TokenKeeper;
  readonly throttle: Throttle;
  readonly signal: AbortSignal;
}

export interface Place {
  /** The versioned endpoint. */
  readonly url: string;
  /** Beside the token. */
  readonly headers: Readonly<Record<string, string>>;
  /** For errors: `Nova`. */
  readonly service: string;
}

const TIMEOUT_SECONDS = 60;

export function apiAt(session: Session, place: Place): Api {
  return { get: (call) => get(session, place, call) };
}

async function get(session: Session, place: Place, call: ApiCall): Promise<ApiAnswer> {
  const { tokens, throttle, signal } = session;
  let refused = 0;
  return withRetries(async () => {
    for (;;) {
      const { token, answer } = await throttle.run(async () => {
        const current = await tokens.current();
        return { token: current, answer: await send(session, place, call, current) };
      });
      if (answer.status !== 401) {
        tokens.accepted(token);
        return answerOf(answer, place, call);
      }
      // A token that worked before was revoked, or expired early; one that never worked is tried twice.
      if (!tokens.discard(token) && ++refused === 2) return answerOf(answer, place, call);
    }
  }, signal);
}

async function send(
  { http, throttle, signal }: Session,
  { url, headers }: Place,
  { path, query, what, timeoutSeconds = TIMEOUT_SECONDS }: ApiCall,
  token: Token,
): Promise<HttpAnswer> {
  signal.throwIfAborted();
  const started = performance.now();
  const search = query === undefined || query.size === 0 ? '' : `?${query.toString()}`;
  try {
    const answer = await http.send(
      {
        method: 'GET',
        url: `${url}${path}${search}`,
        headers: { 'X-Auth-Token': token.id, ...headers },
        what,
        timeoutSeconds,
      },
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

function answerOf(answer: HttpAnswer, { service }: Place, { what, accept = [] }: ApiCall): ApiAnswer {
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
      `${what}: this user may not see that (403); accepted: a user with the role that ${service}'s policy asks for ` +
        '(admin, unless the policy was changed)',
      { transient: false, cause: statusCause(403) },
    );
  }
  throw refuseStatus(what, answer);
}
