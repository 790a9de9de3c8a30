import { getCACertificates } from 'node:tls';

/** The certificate authorities that Node.js and this machine know; `SSL_CERT_FILE` and `SSL_CERT_DIR` add to them. */
export function knownAuthorities(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}
