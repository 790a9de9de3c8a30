import { InputError } from '../core/errors.ts';

/** Names a secret in errors by its file, or by the option or variable that holds it. */
export async function named<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.message.replace(/^secret: /, `${name}: `), { cause: error });
  }
}
