import type { ServerResponse } from 'node:http';

/**
 * What a test can make a fake do instead of answering. `when` says whether the operation has taken
 * effect by then: 'before' (the default) leaves nothing behind; 'after' is the lost answer, the case in
 * which the client cannot know that its write went through.
 *
 * An error with status 200 is sent as a body, as CompleteMultipartUpload may.
 */
export type Fault = { when?: 'before' | 'after' } & (
  { reset: true } | { status: number; code: string; message?: string }
);

/** Called before a request is looked at. It may wait (a delay), throw away the answer, or do nothing. */
export type RequestHook<Request> = (request: Readonly<Request>) => void | Fault | Promise<void | Fault>;

/** Asks the hook; 'gone' where the client went away while the hook was waiting. */
export async function askHook<Request>(
  hook: RequestHook<Request> | undefined,
  request: Request,
  response: ServerResponse,
): Promise<Fault | 'gone' | undefined> {
  if (!hook) return undefined;
  const gone = new Promise<'gone'>((resolve) => void response.once('close', () => resolve('gone')));
  return (await Promise.race([hook(request), gone])) ?? undefined;
}
