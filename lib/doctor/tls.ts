import type { ApiTls, Tls } from '../connection/connection.ts';

/** The authorities that verify a certificate. */
export function verifiedBy(tls: Exclude<Tls | ApiTls, { mode: 'off' }>): string {
  if (tls.mode === 'rds') return 'the authorities of Amazon RDS';
  return tls.ca === undefined ? 'the authorities that this machine knows' : 'the given authority';
}
