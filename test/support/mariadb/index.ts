export { startMariaDb, useMariaDb } from './server.ts';
export type { MariaDbOptions } from './server.ts';
export type { DatabaseUser, MariaDb, Row } from './client.ts';
