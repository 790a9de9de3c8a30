import { createConnection } from 'mysql2/promise';
import type { DatabaseConnection } from '../../lib/connection/connection.ts';
import { parseSecret } from '../../lib/connection/secret.ts';
import type { Row } from '../support/mariadb/index.ts';

/** The cloud that the environment names: `OS_*` as an openrc sets them, and `NOVA_DSN`. */
export interface RealCloud {
  /** As they would be kept in Secrets Manager. */
  readonly secrets: { readonly api: string; readonly database: string };
  /** Asks all cells. */
  query(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/** @throws Error that says what is missing */
export async function realCloud(env: NodeJS.ProcessEnv = process.env): Promise<RealCloud> {
  const api = Object.entries(env).filter(([name, value]) => name.startsWith('OS_') && value !== '');
  const database = env['NOVA_DSN'] ?? '';
  if (api.length === 0 || database === '') {
    throw new Error(
      'This suite needs a real OpenStack: source an openrc of an administrator, and set NOVA_DSN to a secret for its ' +
        'databases in any form that docs/secrets.md lists, such as {"cells": {"cell1": "mysql://…", "cell0": "mysql://…"}}',
    );
  }
  const { cells } = (await parseSecret(database)) as DatabaseConnection;
  return {
    secrets: { api: JSON.stringify(Object.fromEntries(api)), database },
    async query(sql, parameters = []) {
      const rows: Row[] = [];
      for (const { host, port, user, password, database: name } of cells) {
        const connection = await createConnection({
          host,
          port,
          user,
          password,
          database: name,
          dateStrings: true,
          timezone: 'Z',
        });
        try {
          const [found] = await connection.query(sql, [...parameters]);
          rows.push(...(found as Row[]));
        } finally {
          await connection.end();
        }
      }
      return rows;
    },
  };
}
