import type { Keystone, Token } from './keystone.ts';

/** A token is renewed this long before its end, or in the last quarter of a short life. */
const RENEWAL_SECONDS = 120;

export interface TokenKeeper {
  current(): Promise<Token>;
  accepted(token: Token): void;
  /** Discards a token; returns whether it was ever accepted. */
  discard(token: Token): boolean;
}

/** One token for all requests. It is renewed in time, by a single request even if many wait for it. */
export function tokenKeeper(keystone: Keystone, signal: AbortSignal): TokenKeeper {
  let held: { token: Token; renewAt: number } | undefined;
  let pending: Promise<Token> | undefined;
  const good = new WeakSet<Token>();
  const renew = async (): Promise<Token> => {
    const asked = performance.now();
    const token = await keystone.issue(signal);
    const seconds = token.seconds ?? Infinity;
    held = { token, renewAt: asked + (seconds - Math.min(RENEWAL_SECONDS, seconds / 4)) * 1000 };
    return token;
  };
  return {
    async current() {
      if (held !== undefined && performance.now() < held.renewAt) return held.token;
      pending ??= renew().finally(() => (pending = undefined));
      return pending;
    },
    accepted: (token) => void good.add(token),
    discard(token) {
      if (held?.token === token) held = undefined;
      return good.has(token);
    },
  };
}
