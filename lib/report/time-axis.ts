import { HOUR, type Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';
import { labelEvery } from './axis.ts';
import { clockText, durationText, endClockText } from './text.ts';

/** Labels at edges of columns: 0 is the left edge of the first. `minor` ones are hidden on narrow screens. */
export type Tick = { readonly at: number; readonly text: string; readonly minor: boolean };

/** A window as charts cut it, into columns of equal length. */
export interface TimeAxis {
  readonly slots: readonly number[];
  /** Length of a column; the last one may reach beyond the window. */
  readonly step: Seconds;
  readonly ticks: readonly Tick[];
  /** The time so many seconds after the window's start: `09:05` */
  clock(seconds: Seconds): string;
  /** `09:00` */
  from(slot: number): string;
  /** `09:00 to 10:00` */
  span(slot: number): string;
  /** `hour`, or `5 min` */
  readonly unit: string;
}

export function timeAxis({ start, end }: Window, step: Seconds): TimeAxis {
  const slots = Array.from({ length: Math.ceil((end - start) / step) }, (_, slot) => slot);
  const every = labelEvery(slots.length);
  const marks = Array.from({ length: Math.floor(slots.length / every) + 1 }, (_, nth) => nth * every);
  return {
    slots,
    step,
    ticks: marks.map((at, nth) => {
      const time = start + at * step;
      return { at, text: at === 0 ? clockText(time) : endClockText(time), minor: nth % 2 === 1 };
    }),
    clock: (seconds) => clockText(start + seconds),
    from: (slot) => clockText(start + slot * step),
    span: (slot) => `${clockText(start + slot * step)} to ${endClockText(start + (slot + 1) * step)}`,
    unit: step === HOUR ? 'hour' : durationText(step),
  };
}
