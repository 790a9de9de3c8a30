import { SourceError } from '../../core/errors.ts';
import { statusCause, transientStatus } from './answers.ts';
import type { HttpAnswer } from './http.ts';
import { shownUrl } from './shown-url.ts';

/** As nginx and Apache answer plain text at a port of TLS. */
const WANTS_TLS = /plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled server/i;

/**
 * Refuses at once what comes from something else than a service of OpenStack: a redirect, or a web page, such as
 * Horizon's. What a proxy answers while the service behind it is away may be another answer next time.
 *
 * @param what is asked for: `Keystone: its versions`
 * @param accepted what the operator may give in place of that URL
 * @throws SourceError that says what answers, and where
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
    // It is not followed: the credentials must not go where an answer says.
    refuse(
      `redirects to ${shownUrl(new URL(location, url).href)}`,
      `that URL, if it leads there; ${accepted}`,
    );
  }
  const isPage = /^text\/html|^application\/xhtml/i.test(headers['content-type'] ?? '') || /^\s*</.test(body);
  if (!isPage) return;
  if (WANTS_TLS.test(body)) refuse('takes TLS only', 'the same URL with https:// in place of http://');
  refuse('a web page answers there', accepted);
}
