/** What Step Functions passes on, and gives to and takes from a function. */
export const MOST_BYTES = 256 * 1024;

/** As JSON in UTF-8. */
export function bytesOf(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
}

export function tooMuch(bytes: number): Error {
  const error = new Error(`${bytes} bytes are more than ${MOST_BYTES}`);
  return Object.assign(error, { name: 'States.DataLimitExceeded' });
}
