import * as z from 'zod/mini';
import { SourceError } from '../../core/errors.ts';
import type { HttpAnswer } from './http.ts';
import { TransientAnswer, retryAfter } from './retry.ts';

/** 413 was Nova's "over the rate limit" before 429; all others may pass. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 413, 429, 500, 502, 503, 504]);

export function transientStatus(status: number): boolean {
  return TRANSIENT.has(status);
}

/**
 * The error for a status that is not what was asked for. The body is not quoted, for it may name servers; the
 * request's own id is, for it leads to the line in the service's log.
 */
export function refuseStatus(what: string, { status, headers }: HttpAnswer): SourceError {
  const id = headers['x-openstack-request-id'];
  const said = id !== undefined && /^req-[\w-]{1,64}$/.test(id) ? `, ${id}` : '';
  const message = `${what}: answered ${status}${said}`;
  if (transientStatus(status))
    return new TransientAnswer(message, retryAfter(headers['retry-after'], Date.now()), status);
  const isElsewhere = status === 404 || (status >= 300 && status < 400);
  const hint = isElsewhere ? '; is the URL right (http or https, host, path)?' : '';
  return new SourceError(`${message}${hint}`, { transient: false, cause: statusCause(status) });
}

/** What an error's cause says of an answer: its status. */
export function statusCause(status: number): Error {
  return new Error(String(status));
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

/** @throws TransientAnswer where the body is no JSON: it was cut off, or a proxy answered in Nova's place */
export function parseJson(what: string, body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw new TransientAnswer(`${what}: the answer is not JSON, or not all of it came`, undefined);
  }
}
