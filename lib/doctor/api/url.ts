/** Scheme, host, port and path of a URL; no user, no password, no query, and no id of a project. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  return `${url.origin}${url.pathname.replace(/[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')}`;
}

export function hostOf(text: string): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(text);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  };
}
