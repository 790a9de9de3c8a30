import { hash } from 'node:crypto';

/**
 * Counts distinct texts in 16 to 32 bytes each, a quarter of what a Set of strings takes, by 52-bit fingerprints: at
 * ten million texts two of them are mistaken for one in less than one run of a hundred.
 */
export interface DistinctCounter {
  add(text: string): void;
  readonly count: number;
}

export function countDistinct(): DistinctCounter {
  let slots = new Float64Array(1024);
  let count = 0;
  const put = (fingerprint: number): boolean => {
    let at = fingerprint % slots.length;
    while (slots[at] !== 0) {
      if (slots[at] === fingerprint) return false;
      at = (at + 1) % slots.length;
    }
    slots[at] = fingerprint;
    return true;
  };
  return {
    add(text) {
      // Zero marks an empty slot.
      if (put(Number.parseInt(hash('sha256', text, 'hex').slice(0, 13), 16) + 1)) count++;
      if (count * 2 < slots.length) return;
      const kept = slots.filter((fingerprint) => fingerprint !== 0);
      slots = new Float64Array(slots.length * 2);
      for (const fingerprint of kept) put(fingerprint);
    },
    get count() {
      return count;
    },
  };
}
