/**
 * The variable of the environment that names a proxy for a URL, unless `NO_PROXY` has its host. Its value may hold a
 * password and is never shown.
 */
export function proxyVariable(url: string): string | undefined {
  const name = new URL(url).protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  return [name.toLowerCase(), name].find((each) => (process.env[each] ?? '') !== '');
}
