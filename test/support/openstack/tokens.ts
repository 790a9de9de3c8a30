import { randomBytes } from 'node:crypto';
import type { Seconds } from '../../../lib/core/time.ts';
import type { Account } from './accounts.ts';

export type Scope = 'project' | 'system' | 'unscoped';

export interface Token {
  readonly id: string;
  readonly account: Account;
  readonly scope: Scope;
  /** How its owner showed who he is: `password`. */
  readonly methods: readonly string[];
  readonly issued: Seconds;
  readonly expires: Seconds;
}

export interface Tokens {
  /** One made of another token ends with it. */
  issue(of: Pick<Token, 'account' | 'scope' | 'methods'>, expires?: Seconds): Token;
  /** Undefined for one that is unknown, revoked or expired. */
  find(id: string | undefined): Token | undefined;
  revokeAll(): void;
}

export function createTokens(now: () => Seconds, lifetime: number): Tokens {
  const tokens = new Map<string, Token>();
  return {
    issue(of, expires = now() + lifetime) {
      // Of the length of a Fernet token.
      const id = `gAAAAAB${randomBytes(132).toString('base64url')}`;
      const token = { id, ...of, issued: now(), expires };
      tokens.set(id, token);
      return token;
    },
    find(id = '') {
      const token = tokens.get(id);
      return token !== undefined && token.expires > now() ? token : undefined;
    },
    revokeAll: () => tokens.clear(),
  };
}
