import { instanceEvents } from '../../tables/instance-events/table.ts';
import type { ReadRequest, Reader } from '../source.ts';
import { readInstanceEvents } from './instance-events.ts';
import type { OpenApi } from './open-api.ts';

/** How each table is read from Nova's API. */
export const READERS: Readonly<
  Record<string, (api: OpenApi, request: ReadRequest) => ReturnType<Reader<unknown>>>
> = {
  [instanceEvents.name]: readInstanceEvents,
};
