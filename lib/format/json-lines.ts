import type { MaskedEvent, MaskedInstance } from '../mask/masked-event.ts';
import { onceForEach } from '../once-for-each.ts';
import { createClock, secondsSince } from './clock.ts';
import { COLUMNS } from './columns.ts';
import { GZIP } from './gzip.ts';
import type { Format } from './format.ts';

/** One JSON object a line; times with `Z`, what is unknown is null. */
export const jsonLines: Format = {
  name: 'jsonl',
  version: '0.2',
  columns: COLUMNS.map((column) => column.jsonl),
  ...GZIP,
  encoder(epoch) {
    const clock = createClock();
    const sizesAndNames = onceForEach(
      ({ memoryMb, rootGb, vcpus, hostname, userId, projectId }: MaskedInstance) =>
        `"memory_mb":${memoryMb},"root_gb":${rootGb},"vcpus":${vcpus},` +
        `"hostname":${json(hostname)},"user_id":${json(userId)},"project_id":${json(projectId)}`,
    );

    const row = ({ instance, event, start, finish, result, host }: MaskedEvent): string =>
      `{"uuid":${json(instance.uuid)},"event":${json(event)},` +
      `"start_time":"${clock(start)}Z","startSec":${secondsSince(epoch, start)},` +
      `"finish_time":"${clock(finish)}Z","finishSec":${secondsSince(epoch, finish)},` +
      `"duration":${finish - start},"result":${json(result)},${sizesAndNames(instance)},"host":${json(host)}}\n`;

    return { head: '', rows: (events) => events.map(row).join(''), tail: () => '' };
  },
};

const json = (value: string | null): string => JSON.stringify(value);
