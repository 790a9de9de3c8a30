import { InputError } from './errors.ts';

/**
 * The text of bytes in UTF-8, without a byte order mark.
 *
 * @param where names them in the error
 * @throws InputError where they are something else: a password would come out as another one
 */
export function utf8Text(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(
      `${where}: is no text in UTF-8; accepted: UTF-8 (iconv -f latin1 -t utf-8, for one)`,
    );
  }
}
