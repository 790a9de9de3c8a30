import { instanceEvents } from './instance-events/table.ts';
import { instances } from './instances/table.ts';
import type { AnyTable } from './table.ts';

/** Every table there is. Its readers are named in `source/readers.ts`. */
export const TABLES: readonly AnyTable[] = [instanceEvents as AnyTable, instances as AnyTable];
