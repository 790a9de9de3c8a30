import { SourceError } from '../../core/errors.ts';
import { statusCause, transientStatus } from './answers.ts';
import type { HttpAnswer } from './http.ts';
import { shownUrl } from './shown-url.ts';

/** The answers of nginx and Apache to plain text at a port for TLS. */
const WANTS_TLS = /plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled server/i;

/**
 * Refuses at once an answer that is not from a service of OpenStack: a redirect, or a web page, such as Horizon's. The
 * answer of a proxy whose service is down may be different next time, so it is not refused.
 *
 * @param what is asked for: `Keystone: its versions`
 * @param accepted what the operator may give instead of that URL
 * @throws SourceError that names the kind of answer and the URL
 */
export function refuseForeign(what: string, url: string, answer: HttpAnswer, accepted: string): void {
  const { status, headers, body } = answer;
  const refuse = (found: string, remedy: string): never => {
    throw new SourceError(`${what}: ${shownUrl(url)}: ${found} (${status}); accepted: ${remedy}`, {
      transient: false,
      cause: statusCause(status),
    });
  };
  if (transientStatus(status)) return;
  const location = headers['location'] ?? '';
  if (status > 300 && status < 400 && URL.canParse(location, url)) {
    // Redirects are not followed: credentials must not go where an answer points.
    refuse(
      `redirects to ${shownUrl(new URL(location, url).href)}`,
      `that URL, if it leads there; ${accepted}`,
    );
  }
  const isPage = /^text\/html|^application\/xhtml/i.test(headers['content-type'] ?? '') || /^\s*</.test(body);
  if (!isPage) return;
  if (WANTS_TLS.test(body)) refuse('takes TLS only', 'the same URL with https:// instead of http://');
  refuse('a web page answers there', accepted);
}
