/** Refuses a value with what is accepted in its place. */
export type Refuse = (accepted: string) => never;

const AUTH_TYPES = [
  'password',
  'v3password',
  'v2password',
  'token',
  'v3token',
  'v2token',
  'v3applicationcredential',
] as const;

export const NO_SINGLE_SIGN_ON = 'single sign-on (OIDC, SAML) is not supported';

export function readAuthType(value: unknown, refuse: Refuse): (typeof AUTH_TYPES)[number] {
  const known = AUTH_TYPES.find((type) => type === value);
  if (known !== undefined) return known;
  const isSignOn = typeof value === 'string' && /oidc|saml|adfs|federat|oauth|websso/i.test(value);
  const instead = `; ${NO_SINGLE_SIGN_ON}, so make one of the last kind: openstack application credential create`;
  return refuse(`${AUTH_TYPES.join(', ')}${isSignOn ? instead : ''}`);
}

export function readSystemScope(value: unknown, refuse: Refuse): 'all' {
  return value === 'all' ? value : refuse('all');
}

export function readText(value: unknown, refuse: Refuse): string {
  if (value === '' || value === null || value === undefined) refuse('a text that is not empty');
  // YAML reads 0123 and 1e5 as numbers, whose text differs.
  if (typeof value !== 'string')
    return refuse('a text, in quotes where it could pass for a number, a date, yes or no');
  // An unclosed quote, a YAML block or a file's last line: nothing that Keystone knows spans lines.
  return /[\r\n\0]/.test(value) ? refuse('a text on one line') : value;
}

export function readUrl(value: unknown, refuse: Refuse): string {
  const text = readText(value, refuse);
  const isPlain = /^https?:\/\/[^/\\?#@\s]+(\/[^\\?#@\s]*)?$/i.test(text) && URL.canParse(text);
  return isPlain ? text : refuse('the http:// or https:// URL, without user, password, blanks, @, ? and #');
}

/** Here numbers and truth values mean the same as their text, unlike in a password. */
function shown(value: unknown): string {
  return ['string', 'number', 'boolean'].includes(typeof value)
    ? `${value as string | number | boolean}`
    : '';
}

export function readVersion(value: unknown, refuse: Refuse): 'v3' | 'v2.0' {
  const [, major] = /^v?([23])(?:\.\d{1,2})?$/.exec(shown(value)) ?? refuse('3, or 2.0');
  return major === '3' ? 'v3' : 'v2.0';
}

export function readInterface(value: unknown, refuse: Refuse): 'public' | 'internal' | 'admin' {
  const [, name] =
    /^(public|internal|admin)(?:URL)?$/.exec(shown(value)) ?? refuse('public, internal, admin');
  return name as 'public' | 'internal' | 'admin';
}

export function readFlag(value: unknown, refuse: Refuse): boolean {
  const text = shown(value).toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(text)) return true;
  return ['false', 'no', 'off', '0'].includes(text) ? false : refuse('true or false');
}

export function readCertificate(value: unknown, refuse: Refuse): string {
  if (typeof value !== 'string' || !value.includes('-----BEGIN CERTIFICATE-----')) {
    return refuse('the text of a PEM certificate, not a path');
  }
  // Put into one line of an openrc file, or escaped twice in JSON.
  return value.includes('\n') ? value : value.replaceAll(String.raw`\n`, '\n');
}
