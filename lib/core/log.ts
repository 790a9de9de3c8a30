/** Counts, keys and windows only: never an identifier or a credential. */
export type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;
