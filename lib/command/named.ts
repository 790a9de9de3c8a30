import { InputError } from '../core/errors.ts';

/** Calls a secret by the name of its file, or of whatever holds it, in the errors of reading it. */
export async function named<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.message.replace(/^secret: /, `${name}: `), { cause: error });
  }
}
