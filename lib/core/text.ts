import { InputError } from './errors.ts';

/**
 * The text of bytes in UTF-8, without a byte order mark.
 *
 * @param where names them in the error
 * @throws InputError if they are not UTF-8: a password would be read as another one
 */
export function utf8Text(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(
      `${where}: is not UTF-8; accepted: text in UTF-8 (convert it, for example with iconv -f latin1 -t utf-8)`,
    );
  }
}
