import type { MariaDb } from '../support/mariadb/index.ts';

type Call = (localPort: number) => Promise<void>;

/** Ends the connection that comes from a port, or what it is asking, as an administrator does. */
export function killer(db: MariaDb): Record<string, Call> {
  const kill =
    (what: string): Call =>
    async (localPort) => {
      const [found] = await db.query('SELECT ID FROM information_schema.PROCESSLIST WHERE HOST = ?', [
        `127.0.0.1:${localPort}`,
      ]);
      // It may have gone by itself.
      if (found !== undefined) await db.query(`${what} ${Number(found['ID'])}`).catch(() => undefined);
    };
  return { 'KILL CONNECTION': kill('KILL'), 'KILL QUERY': kill('KILL QUERY') };
}
