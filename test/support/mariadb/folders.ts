import { fileURLToPath } from 'node:url';

/** What is downloaded or made once and kept: git ignores it, and deleting it costs a few seconds. */
export const CACHE = fileURLToPath(new URL('../../../.local/mariadb', import.meta.url));
