import * as z from 'zod/mini';
import { SourceError } from '../../core/errors.ts';
import { type Seconds, parseInstant } from '../../core/time.ts';
import type { HttpAnswer } from './http.ts';
import { TransientAnswer, retryAfter } from './retry.ts';

/** 413 was Nova's "over the rate limit" before 429; all others may pass. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 413, 429, 500, 502, 503, 504]);

/** A time in an answer; null where there is none, or it cannot be read. */
export function timeIn(text: string | null | undefined): Seconds | null {
  return parseInstant(text ?? '') ?? null;
}

export function transientStatus(status: number): boolean {
  return TRANSIENT.has(status);
}

/**
 * The error for a status that is not what was asked for. The body is not quoted, because it may name servers. The
 * request's id is quoted, because it leads to the line in the service's log.
 */
export function refuseStatus(what: string, { status, headers }: HttpAnswer): SourceError {
  const id = headers['x-openstack-request-id'];
  const requestId = id !== undefined && /^req-[\w-]{1,64}$/.test(id) ? `, ${id}` : '';
  const message = `${what}: answered ${status}${requestId}`;
  if (transientStatus(status))
    return new TransientAnswer(message, retryAfter(headers['retry-after'], Date.now()), status);
  const isElsewhere = status === 404 || (status >= 300 && status < 400);
  const hint = isElsewhere ? '; is the URL right (http or https, host, path)?' : '';
  return new SourceError(`${message}${hint}`, { transient: false, cause: statusCause(status) });
}

/** The status of the answer that caused an error. */
export function statusCause(status: number): Error {
  return new Error(String(status));
}

/** @throws SourceError if the answer does not have the form of the API reference */
export function shaped<T extends z.ZodMiniType>(schema: T, json: unknown, what: string): z.output<T> {
  const parsed = z.safeParse(schema, json);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.filter((part) => typeof part === 'string').join('.');
  throw new SourceError(`${what}: the answer is not as documented, in ${path || 'all of it'}`, {
    transient: false,
  });
}

/** @throws TransientAnswer if the body is not JSON: it was cut off, or a proxy answered instead of Nova */
export function parseJson(what: string, body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw new TransientAnswer(`${what}: the answer is not JSON, or it is incomplete`, undefined);
  }
}
