/** Scheme, host, port and path of a URL; no user, no password, no query, and no id of a project or a server. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  return `${url.origin}${url.pathname.replace(/[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')}`;
}
