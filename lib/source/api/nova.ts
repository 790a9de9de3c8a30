import * as z from 'zod/mini';
import type { OpenStackConnection } from '../../connection/connection.ts';
import { SourceError } from '../../errors.ts';
import { parseJson, refuseStatus, transientStatus } from './answers.ts';
import { computeEndpoint } from './catalogue.ts';
import { type Http, type HttpAnswer, openHttp } from './http.ts';
import { type Keystone, type Token, openKeystone } from './keystone.ts';
import { type Microversion, negotiate } from './microversion.ts';
import { withRetries } from './retry.ts';
import { type Throttle, openThrottle } from './throttle.ts';

export interface NovaAnswer {
  readonly status: number;
  readonly json: unknown;
  /** How long the last attempt took. */
  readonly seconds: number;
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

/** Nova's API, authenticated, at one microversion; as many requests at once as it bears. */
export interface Nova extends Disposable {
  readonly microversion: Microversion;
  /** @throws SourceError where no answer came that was asked for, however often it was tried */
  get(call: NovaCall): Promise<NovaAnswer>;
  /** Requests sent so far, to Keystone too. */
  readonly requests: number;
}

const TIMEOUT_SECONDS = 60;

/** A token is renewed this long before its end, or in the last quarter of a short life. */
const RENEWAL_SECONDS = 120;

/** @param concurrency requests under way at once, at the most */
export async function openNova(
  connection: OpenStackConnection,
  concurrency: number,
  signal: AbortSignal,
): Promise<Nova> {
  const http = openHttp(connection.tls);
  try {
    const tokens = tokenKeeper(openKeystone(http, connection), signal);
    const { catalogue } = await tokens.current();
    const endpoint = computeEndpoint(catalogue, connection);
    const { url, microversion } = await negotiate(http, endpoint, signal);
    const throttle = openThrottle(concurrency);
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
        return judge(answer, call);
      }
      // One that was good before has been revoked, or expired early; of those that never were, two are enough.
      if (!tokens.discard(token) && ++refused === 2) return judge(answer, call);
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
    if (transientStatus(answer.status)) throttle.slowDown(started);
    return answer;
  } catch (error) {
    throttle.slowDown(started);
    throw error;
  }
}

function judge(answer: HttpAnswer, { what, accept = [] }: NovaCall): NovaAnswer {
  const { status, seconds } = answer;
  if (status === 200) return { status, json: parseJson(what, answer.body), seconds };
  if (accept.includes(status)) return { status, json: undefined, seconds };
  if (status === 401) {
    throw new SourceError(`${what}: the token is refused (401), and a new one as well`, { transient: false });
  }
  if (status === 403) {
    throw new SourceError(
      `${what}: this user may not see that (403); accepted: a user with the role that Nova's policy asks for ` +
        '(admin, unless the policy was changed)',
      { transient: false },
    );
  }
  throw refuseStatus(what, answer);
}

interface TokenKeeper {
  current(): Promise<Token>;
  accepted(token: Token): void;
  /** Never to give it again; tells whether it was ever accepted. */
  discard(token: Token): boolean;
}

/** One token for all requests, renewed in time, by one request however many wait for it. */
function tokenKeeper(keystone: Keystone, signal: AbortSignal): TokenKeeper {
  let held: { token: Token; renewAt: number } | undefined;
  let pending: Promise<Token> | undefined;
  const good = new WeakSet<Token>();
  const renew = async (): Promise<Token> => {
    const asked = performance.now();
    const token = await keystone.issue(signal);
    const seconds = token.seconds ?? Infinity;
    held = { token, renewAt: asked + (seconds - Math.min(RENEWAL_SECONDS, seconds / 4)) * 1000 };
    return token;
  };
  return {
    async current() {
      if (held !== undefined && performance.now() < held.renewAt) return held.token;
      pending ??= renew().finally(() => (pending = undefined));
      return pending;
    },
    accepted: (token) => void good.add(token),
    discard(token) {
      if (held?.token === token) held = undefined;
      return good.has(token);
    },
  };
}

/** @throws SourceError where the answer does not have the shape that the API reference gives */
export function shaped<T extends z.ZodMiniType>(schema: T, json: unknown, what: string): z.output<T> {
  const parsed = z.safeParse(schema, json);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.filter((part) => typeof part === 'string').join('.');
  throw new SourceError(`${what}: the answer is not as documented, in ${path || 'all of it'}`, {
    transient: false,
  });
}
