import type { Seconds } from '../time.ts';

declare const masked: unique symbol;

/** Text that may leave the process. Only a mask makes one, so that an unmasked record cannot be written. */
export type Masked = string & { readonly [masked]: true };

export interface MaskedInstance {
  readonly uuid: Masked;
  readonly hostname: Masked | null;
  readonly userId: Masked | null;
  readonly projectId: Masked | null;
  readonly memoryMb: number | null;
  readonly rootGb: number | null;
  readonly vcpus: number | null;
}

export interface MaskedEvent {
  readonly instance: MaskedInstance;
  readonly event: string | null;
  readonly start: Seconds;
  readonly finish: Seconds;
  readonly result: string | null;
  readonly host: Masked | null;
}
