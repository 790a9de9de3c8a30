import { expect } from 'vitest';
import { parseSecret } from '../../../lib/connection/secret.ts';

/** With what a secret is refused: one line, and nothing in it of what is `hidden`, not even a beginning. */
export async function refusal(secret: string, hidden: readonly string[]): Promise<string> {
  const error = await parseSecret(secret).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'InputError' });
  const { message } = error as Error;
  expect(message).toMatch(/^secret: .*accepted: /);
  expect(message).not.toContain('\n');
  for (const value of hidden) expect(message).not.toContain(value.slice(0, 8));
  return message;
}
