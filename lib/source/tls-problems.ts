import type { PeerCertificate } from 'node:tls';
import type { Problem } from './network-problems.ts';

/** Problems with TLS that have different remedies. */
export type TlsKind = 'plainText' | 'otherName' | 'expired' | 'notYetValid' | 'unknownAuthority' | 'other';

/** How the operator writes the remedies. */
export interface TlsWords {
  /** Whether an authority was given. */
  readonly hasCa: boolean;
  /** How to give one: `as ssl_ca, the text of a PEM`. */
  readonly giveCa: string;
  /** What to do if the certificate is for another name. */
  readonly otherName: string;
  /** What to do if the answer is plain text. */
  readonly plainText: string;
}

const BY_CODE: Readonly<Record<string, TlsKind>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'otherName',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'notYetValid',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknownAuthority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknownAuthority',
  UNABLE_TO_GET_ISSUER_CERT: 'unknownAuthority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknownAuthority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknownAuthority',
  CERT_UNTRUSTED: 'unknownAuthority',
  CERT_SIGNATURE_FAILURE: 'unknownAuthority',
  ERR_SSL_WRONG_VERSION_NUMBER: 'plainText',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'plainText',
};

/** The database's driver replaces Node's code by another one; OpenSSL's words remain. */
const BY_MESSAGE: readonly (readonly [RegExp, TlsKind])[] = [
  [/altnames/i, 'otherName'],
  [/certificate has expired/i, 'expired'],
  [/certificate is not yet valid/i, 'notYetValid'],
  [/self.signed|unable to (get|verify)|certificate signature|not trusted/i, 'unknownAuthority'],
  [/wrong version number|packet length too long/i, 'plainText'],
];

/** Undefined if the error is not about TLS. */
export function tlsKindOf(error: NodeJS.ErrnoException): TlsKind | undefined {
  const { code = '', message } = error;
  const kind = BY_CODE[code] ?? BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1];
  if (kind !== undefined) return kind;
  return /CERT|^ERR_TLS|^ERR_SSL|^EPROTO$|^HANDSHAKE_SSL/.test(code) ? 'other' : undefined;
}

export function tlsProblem(kind: TlsKind, error: Error, words: TlsWords): Problem {
  switch (kind) {
    case 'plainText':
      return { found: 'the server there does not use TLS', remedy: words.plainText };
    case 'otherName':
      return { found: `the certificate is for ${namesIn(error)}`, remedy: words.otherName };
    case 'expired':
      return {
        found: 'the certificate has expired',
        remedy: 'renew it at the server; if it is still good, set the clock of this machine',
      };
    case 'notYetValid':
      return {
        found: 'the certificate is not valid yet',
        remedy: 'set the clocks of the server and of this machine',
      };
    case 'unknownAuthority':
      return words.hasCa
        ? {
            found: 'the certificate is not signed by the given authority',
            remedy: `give the authority that signed it ${words.giveCa}`,
          }
        : {
            found: 'this machine does not know the authority that signed the certificate',
            remedy: `give that authority ${words.giveCa}`,
          };
    case 'other':
      return {
        found: 'no TLS could be agreed on',
        remedy: 'check which TLS versions the server speaks (1.2 or 1.3 is needed), and its certificate',
      };
  }
}

/** The names come from the server, so they are shortened, and shown only if they look like names. */
function namesIn(error: Error): string {
  const { subjectaltname = '', subject } = 'cert' in error ? (error.cert as Partial<PeerCertificate>) : {};
  const listed = subjectaltname === '' ? `DNS:${String(subject?.CN)}` : subjectaltname;
  const names = [...listed.matchAll(/(?:DNS|IP Address):([\w*.:-]{1,100})(?=,|$)/g)].map(([, name]) => name);
  if (names.length === 0) return 'another name';
  return `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''} and not for this name`;
}
