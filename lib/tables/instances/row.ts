import type { Seconds } from '../../core/time.ts';
import type { Instance, MaskedInstance } from '../instance-events/row.ts';
import type { Masked } from '../table.ts';

/** A server that existed in a window, as it is known when it is read. */
export interface Server extends Instance {
  /** Null where the source does not tell. */
  readonly created: Seconds | null;
  /** The latest spawn: resize, rebuild and unshelve set it again. Null: it never ran. */
  readonly launched: Seconds | null;
  /** Only if it was deleted before the window's end. */
  readonly deleted: Seconds | null;
  /** Nova's `vm_state`; null where it was deleted after the window, and the state of the window is not known. */
  readonly state: string | null;
  /** Of Blazar, for whose lease the server runs. */
  readonly reservationId: string | null;
  /** Where the row goes in its file; see `placeOf`. */
  readonly place: number;
}

export interface MaskedServer extends MaskedInstance {
  readonly created: Seconds | null;
  readonly launched: Seconds | null;
  readonly deleted: Seconds | null;
  readonly state: string | null;
  readonly reservationId: Masked | null;
  readonly host: Masked | null;
}
