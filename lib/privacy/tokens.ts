const [NO_TOKEN, DIGIT, TEXT] = [0, 1, 3];

/** Characters of a token: letters and digits of any language, and the signs within ids, names and addresses. */
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/\d/.test(character)) return DIGIT;
  return /[\w.@+-]/.test(character) ? TEXT : NO_TOKEN;
});

// FNV-1a's start and prime, and those of a second hash that mixes differently.
const [HIGH, LOW] = [0x811c9dc5 | 0, 0x2545f491];
const [HIGH_PRIME, LOW_PRIME] = [0x01000193, 0x85ebca6b];

/**
 * Calls back with a fingerprint (52 bits, not 0) of each token of a text, save those of digits alone. Everything
 * that formats put around a value (commas, quotes, braces, new lines) separates tokens, so that a value gives the same
 * ones in every format. Costs about 2 ns a character.
 */
export function fingerprintTokens(text: string, onToken: (fingerprint: number) => void): void {
  let high = HIGH;
  let low = LOW;
  let kinds = NO_TOKEN;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const kind = code > 127 ? TEXT : (KINDS[code] as number);
    if (kind !== NO_TOKEN) {
      high = Math.imul(high ^ code, HIGH_PRIME);
      low = Math.imul(low ^ code, LOW_PRIME) ^ (low >>> 13);
      kinds |= kind;
    } else if (kinds !== NO_TOKEN) {
      if (kinds > DIGIT) onToken(joined(high, low));
      high = HIGH;
      low = LOW;
      kinds = NO_TOKEN;
    }
  }
  if (kinds > DIGIT) onToken(joined(high, low));
}

function joined(high: number, low: number): number {
  return (high >>> 0) * 0x100000 + (low >>> 12) + 1;
}
