import type { CellSession } from '../../source/database/session.ts';
import type { Finding, Teller } from '../finding.ts';

/** What changes nothing. */
const HARMLESS = new Set([
  'USAGE',
  'SELECT',
  'SHOW VIEW',
  'SHOW DATABASES',
  'PROCESS',
  'REPLICATION CLIENT',
  'BINLOG MONITOR',
  'REPLICA MONITOR',
  'SLAVE MONITOR',
]);

/** How many are named; the list of a root is long. */
const NAMED = 3;

/** Whether the user could do more than read. It costs the trace nothing, but the secret is worth more than needed. */
export async function* examinePrivileges(
  { query }: CellSession,
  tell: Teller,
): AsyncGenerator<Finding, void, void> {
  const excess = (await query('SHOW GRANTS')).flatMap(([grant]) => excessOf(String(grant)));
  if (excess.length === 0) {
    yield tell.fine('privileges', 'to read, and no others');
    return;
  }
  yield tell.fine(
    'privileges',
    `to read, and more than is needed: ${excess.slice(0, NAMED).join('; ')}${excess.length > NAMED ? '; …' : ''}`,
    'use a user of its own with SELECT on six tables, so that a secret that leaks can change nothing; README lists the GRANTs',
  );
}

/** `INSERT, UPDATE, … on nova.*`. The line itself may hold the hash of a password, so only known parts of it are told. */
function excessOf(grant: string): string[] {
  const [, list = '', on = ''] = /^GRANT (.+?) ON (\S+) TO /.exec(grant) ?? [];
  const privileges = list
    .split(/,\s*(?![^(]*\))/)
    .filter((privilege) => privilege !== '' && !HARMLESS.has(privilege.replace(/\s*\(.*\)$/, '')));
  if (grant.endsWith(' WITH GRANT OPTION')) privileges.push('GRANT OPTION');
  if (privileges.length === 0) return [];
  const more = privileges.length > NAMED ? ', …' : '';
  return [`${privileges.slice(0, NAMED).join(', ')}${more} on ${on.replaceAll('`', '')}`];
}
