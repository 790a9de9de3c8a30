/** What is wrong with a trace, or worth telling about it. */
export interface Finding {
  /** `fault`: the trace is not what it says; `note`: it may be meant so. */
  readonly kind: 'fault' | 'note';
  /** One line that begins with the key or the window. */
  readonly text: string;
}

export const fault = (text: string): Finding => ({ kind: 'fault', text });
export const note = (text: string): Finding => ({ kind: 'note', text });
