import { type AuthPlugin, authPlugins } from 'mysql2';
import type { CellConnection } from '../../connection/connection.ts';

/** The message of the error by which a login ends that would have given the password away. */
export const NEEDS_PASSWORD_ITSELF = 'the server asks for the password itself';

/** MySQL's "perform full authentication" of caching_sha2_password. */
const FULL_AUTHENTICATION = Buffer.from([4]);

/**
 * How caching_sha2_password and sha256_password log in without TLS. In their full exchange the server sends an RSA key
 * and gets the password encrypted with it; a server in the middle sends its own key and reads the password. So without
 * TLS the exchange is done over a socket of this machine or with a pinned key, and otherwise ends before anything that
 * the password could be had from is sent. A server that remembers the login (caching_sha2_password) does without it.
 *
 * @returns nothing where the driver's own way is safe
 */
export function loginPlugins({ tls, socket }: CellConnection): Record<string, AuthPlugin> | undefined {
  if (tls.mode !== 'off' || socket !== undefined) return undefined;
  const { caching_sha2_password: cachingSha2, sha256_password: sha256 } = authPlugins;
  if (tls.serverKey !== undefined) {
    const pinned = { serverPublicKey: tls.serverKey };
    return { caching_sha2_password: cachingSha2(pinned), sha256_password: sha256(pinned) };
  }
  return {
    caching_sha2_password: (metadata) => {
      const answer = cachingSha2()(metadata);
      return (data) => (data.equals(FULL_AUTHENTICATION) ? refuse() : answer(data));
    },
    sha256_password: () => refuse,
  };
}

function refuse(): never {
  throw new Error(NEEDS_PASSWORD_ITSELF);
}
