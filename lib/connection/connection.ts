/** How TLS is done: verified with the CAs of Node and the system, a given CA, Amazon RDS's CAs, or not at all. */
export type Tls = { mode: 'verify'; ca?: string } | { mode: 'rds' } | { mode: 'off' };

/** One Nova cell database. */
export interface CellConnection {
  /** Names the cell in the checkpoint and the manifest: `cell1`, `cell0`. */
  readonly cell: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: Tls;
}

/** What a secret opens. The Nova API will be a second kind. */
export interface CloudConnection {
  readonly kind: 'database';
  readonly cells: readonly CellConnection[];
}
